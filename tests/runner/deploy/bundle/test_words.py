"""A bundle of a model that tags words answers as the model in torch does: entities and their places, restored texts."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import urllib.request
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.inputs.split_text import split_words
from data.inputs.word_pieces import needs_space, word_pieces
from runner.deploy.bundle.calibration import hash_of
from runner.deploy.bundle.predict import Model
from runner.deploy.bundle.words import LibraryWords
from runner.deploy.bundles import add_graph_reader
from runner.deploy.exported import ExportedModel, model_of_run
from runner.deploy.predictor import Predictor
from tests.runner.deploy.bundle.served import served
from tests.runner.deploy.bundle.test_windows import ALONE, copy_of
from tests.runner.deploy.span_runs import bundle_of
from tests.runner.deploy.tag_runs import ENTITIES, LONG, MARKS, MAX_LENGTH, TEXTS, byte_pairs, write_tag_run

KINDS = ("entities", "written", "cut", "library")
Made = tuple[str, Predictor, Path]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[ExportedModel, Path]]:
    """Two models of tags in torch, and their bundles with a server."""
    pytest.importorskip("onnxruntime")
    found = {}
    for kind in KINDS[:2]:
        folder = tmp_path_factory.mktemp("outputs") / kind
        record = write_tag_run(folder)
        found[kind] = model_of_run(record, folder), bundle_of(record, folder, "docker")
    return found


@pytest.fixture(scope="module", params=KINDS)
def made(request: pytest.FixtureRequest, exported: dict[str, tuple[ExportedModel, Path]]) -> Made:
    """The kind of a model, the model in torch, and its bundle.

    cut: texts lose their end; library: the tokenizer is read by `tokenizers`, as those that are not like BERT's.
    """
    trained, folder = exported[request.param if request.param in exported else "entities"]
    if request.param not in exported:
        folder = copy_of(folder, request.param)
    if request.param == "cut":
        trained = replace(trained, options={"windows": False})
        add_graph_reader(folder, trained.moved(folder, "onnx"), trained)
    if request.param == "library":
        facts = json.loads((folder / "model.json").read_text())
        (folder / "model.json").write_text(json.dumps({key: facts[key] for key in facts if key != "pieces"}))
        manifest = json.loads((folder / "manifest.json").read_text())
        manifest["files"]["model.json"]["sha256"] = hash_of(folder / "model.json")
        (folder / "manifest.json").write_text(json.dumps(manifest))
    return request.param, Predictor(trained), folder


def told(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer with its scores rounded, which threads and kernels move in their last digits."""
    spans = [span | {"score": round(span["score"], 4)} for span in answer.get("spans", ())]
    return answer | ({"spans": spans} if "spans" in answer else {})


def test_all_texts_get_the_answers_of_torch(made: Made) -> None:
    kind, predictor, folder = made
    model, wanted = Model(folder), predictor(TEXTS)
    found = model(TEXTS)
    for text, mine, other in zip(TEXTS, found, wanted, strict=True):
        assert told(mine) == told(other), text
    tags = {tag for answer in found for tag in answer["tags"]}
    assert tags == {*(MARKS if kind == "written" else ENTITIES)}, "weights that are drawn wide give all tags"
    asked = predictor.ask(TEXTS)
    assert (max(np.diff(asked.row_bounds)) > 10) == (kind != "cut"), "long texts have windows"
    assert model.lengths(TEXTS).tolist() == asked.lengths.tolist()
    assert (model.max_length == MAX_LENGTH) == (kind == "cut"), "where long texts are read whole there is no limit"
    if kind == "written":
        assert found[0]["prediction"] != TEXTS[0] and "spans" not in found[0] and found[0]["second_tags"]
    else:
        spans = [(text, span) for text, answer in zip(TEXTS, found) for span in answer["spans"]]
        assert len(spans) > 20 and all(text[s["start"] : s["end"]] == s["text"] for text, s in spans)


def test_the_bundle_needs_neither_torch_nor_bertier(made: Made) -> None:
    _, predictor, folder = made
    done = subprocess.run(
        [sys.executable, "-P", "-c", ALONE, str(folder), json.dumps([TEXTS])], capture_output=True, text=True,
        cwd=folder.parent, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert list(map(told, json.loads(done.stdout))) == list(map(told, predictor(TEXTS)))
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["packages"] == ["numpy>=2", "onnxruntime>=1.23"] and "words.py" in manifest["files"]
    page = (folder / "README.md").read_text()
    assert "Answers texts with a tag for each word" in page and "model.scores" not in page
    assert "from data." not in "".join((folder / name).read_text() for name in ("split_text.py", "tag_answers.py"))


def test_a_table_gets_spans_as_json_and_the_server_answers(made: Made, tmp_path: Path) -> None:
    kind, predictor, folder = made
    if kind != "entities":
        pytest.skip("one kind is enough")
    rows = tmp_path / "rows.csv"
    rows.write_text('tokens,tags\n"Ada met\tBabbage",B-PER O B-PER\n', encoding="utf-8")
    words = [sys.executable, "predict.py", str(rows), "--out", str(tmp_path / "out.csv")]
    subprocess.run(words, cwd=folder, check=True)
    with (tmp_path / "out.csv").open(encoding="utf-8") as table:
        row = next(csv.DictReader(table))
    wanted = predictor(["Ada met\tBabbage"])[0]
    assert row["tags"] == "B-PER O B-PER", "the labels of the table's own rows"
    assert json.loads(row["predicted_tags"]) == wanted["tags"] and len(json.loads(row["spans"])) == len(wanted["spans"])
    with served(folder) as address:
        body = json.dumps({"texts": [LONG, ""]}).encode()
        with urllib.request.urlopen(f"{address}/predict", body, timeout=30) as answer:
            assert list(map(told, json.load(answer)["answers"])) == list(map(told, predictor([LONG, ""])))
        with urllib.request.urlopen(f"{address}/health", timeout=30) as answer:
            assert json.load(answer)["calibration"] == "", "there are no label scores"


def test_half_a_character_is_read_as_the_replacement_character(made: Made) -> None:
    model = Model(made[2])
    found, wanted = model("Ada met \ud83d Babbage"), model("Ada met \ufffd Babbage")
    assert found["tags"] == wanted["tags"] and len(found["tags"]) >= 3


def test_there_are_no_scores_of_labels(made: Made) -> None:
    with pytest.raises(ValueError, match="a tag for each word, so it has no"):
        Model(made[2]).scores(["who"])


def test_other_tokenizers_give_words_the_pieces_of_training(tmp_path: Path) -> None:
    tokenizer, words = byte_pairs(), split_words(" ".join(TEXTS))[0]
    tokenizer.save(tmp_path)
    assert needs_space(tokenizer.backend)
    wanted = word_pieces(tokenizer, [words])
    found = LibraryWords(tmp_path / "tokenizer.json", is_spaced=True)(words)
    assert list(map(len, found)) == wanted.counts.tolist()
    assert [piece for word in found for piece in word] == wanted.tokens.tolist()
    library = LibraryWords(tmp_path / "tokenizer.json", is_spaced=True)
    assert library(["a", "\ud83d"]) == library(["a", "\ufffd"])
