"""A bundle of a model of spans answers as the model in torch does, in windows, and where a text has no answer."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from runner.deploy.bundle.predict import Model
from runner.deploy.bundles import add_graph_reader
from runner.deploy.exported import ExportedModel, model_of_run
from runner.deploy.predictor import Predictor
from tests.runner.deploy.bundle.served import served
from tests.runner.deploy.span_runs import COLUMNS, HARD_ROWS, LONG, MAX_LENGTH, answers_of, bundle_of, write_span_run

ALONE = """
import json, sys

class WithoutTorch:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "transformers", "runner", "data", "models"):
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, WithoutTorch())
sys.path.insert(0, sys.argv[1])
from predict import Model
print(json.dumps(Model()(*json.loads(sys.argv[2]))))
"""


RULES = [{}, {"has_empty": True, "null_threshold": 0.2, "max_answer": 3}]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[ExportedModel, Path]:
    """A model of spans in torch, and its bundle."""
    pytest.importorskip("onnxruntime")
    output = tmp_path_factory.mktemp("outputs")
    record = write_span_run(output, "ssss")
    return model_of_run(record, output / "ssss"), bundle_of(record, output / "ssss")


def copy_of(folder: Path, name: str) -> Path:
    """A copy of a bundle, beside it."""
    return Path(shutil.copytree(folder, folder.with_name(name), ignore=shutil.ignore_patterns("__pycache__")))


@pytest.fixture(scope="module", params=RULES, ids=["1.1", "2.0"])
def made(request: pytest.FixtureRequest, exported: tuple[ExportedModel, Path]) -> tuple[Predictor, Path]:
    """The model with its task, and its bundle, for both kinds of SQuAD."""
    trained, folder = exported
    if request.param:
        trained = replace(trained, facts=request.param, options={"overlap": 4})
        folder = copy_of(folder, "other")
        add_graph_reader(folder, trained.moved(folder, "onnx"), trained)
    return Predictor(trained), folder


def test_all_rows_get_the_answers_of_torch(made: tuple[Predictor, Path]) -> None:
    predictor, folder = made
    model, wanted = Model(folder), predictor(*COLUMNS)
    found = model(*COLUMNS)
    assert answers_of(found) == answers_of(wanted)
    for mine, other in zip(found, wanted, strict=True):
        assert mine["score"] == pytest.approx(other["score"], abs=1e-6) and mine.keys() == other.keys()
        assert [span.keys() for span in mine["spans"]] == [span.keys() for span in other["spans"]]
    asked = predictor.ask(*COLUMNS)
    assert len(asked.row_bounds) == len(HARD_ROWS) + 1 and max(np.diff(asked.row_bounds)) > 10, "contexts have windows"
    empty = sum(answer["prediction"] == "" for answer in found)
    assert 0 < empty < len(found), "some questions have an answer, and some have none"
    assert model.lengths(*COLUMNS).tolist() == asked.lengths.tolist() and model.max_length == asked.longest


def test_the_bundle_needs_neither_torch_nor_bertier_and_says_what_it_reads(made: tuple[Predictor, Path]) -> None:
    predictor, folder = made
    words = [sys.executable, "-P", "-c", ALONE, str(folder), json.dumps(COLUMNS)]
    done = subprocess.run(words, capture_output=True, text=True, cwd=folder.parent, check=False)
    assert done.returncode == 0, done.stderr
    assert answers_of(json.loads(done.stdout)) == answers_of(predictor(*COLUMNS))
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["packages"] == ["numpy>=2", "onnxruntime>=1.23", "tokenizers>=0.22"]
    assert {"windows.py", "best_span.py", "context_windows.py"} <= manifest["files"].keys()
    page = (folder / "README.md").read_text()
    assert "Answers questions about a text with a part of it" in page and "model.scores" not in page
    assert "a column `question` and a column `context`" in page and manifest["max_length"] == MAX_LENGTH


def test_half_a_character_moves_no_place_in_the_context(made: tuple[Predictor, Path]) -> None:
    model, (question, context) = Model(made[1]), (COLUMNS[0][0], COLUMNS[1][0])
    found, wanted = model(f"{question}\ud83d", f"\ud83d{context}"), model(f"{question}\ufffd", f"\ufffd{context}")
    assert found["score"] == wanted["score"] and found["spans"] == wanted["spans"]


def test_there_are_no_scores_of_labels(made: tuple[Predictor, Path]) -> None:
    with pytest.raises(ValueError, match="so it has no label scores"):
        Model(made[1]).scores(["who ?"], ["it is me"])
    with pytest.raises(ValueError, match="reads two texts at a time"):
        Model(made[1])("who ?")


def test_the_server_of_a_container_answers_questions(exported: tuple[ExportedModel, Path]) -> None:
    trained, bundle = exported
    folder = copy_of(bundle, "served")
    add_graph_reader(folder, trained.moved(folder, "onnx"), trained, is_served=True)
    with served(folder) as address:
        body = json.dumps({"texts": ["which day ?", ""], "pairs": [LONG, "It is."]}).encode()
        with urllib.request.urlopen(f"{address}/predict", body, timeout=30) as answer:
            assert json.load(answer)["answers"] == Model(folder)(["which day ?", ""], [LONG, "It is."])
        long = json.dumps({"texts": [LONG], "pairs": ["It is."]}).encode()
        with pytest.raises(urllib.error.HTTPError, match="413"):
            urllib.request.urlopen(f"{address}/predict", long, timeout=30)
    assert '"pairs": ["another"]' in (folder / "README.md").read_text()
