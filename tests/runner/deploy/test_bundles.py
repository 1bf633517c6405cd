"""A bundle answers without Bertier, and its manifest names every file."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from runner.commands.export import main
from runner.deploy.bundle.calibration import Calibration
from runner.deploy.bundle.predict import Model
from runner.deploy.bundles import as_calibrated, sources_for, usage, write_packed_bundle
from runner.deploy.exported import find_model
from runner.deploy.packed_predictor import PackedPredictor
from runner.errors import ConfigError
from runner.record.model_card import model_card
from runner.record.record import RunRecord
from tests.models.packed import test_fold, test_layers
from tests.models.packed.golden import golden_content
from tests.records import record_json
from tests.runner.deploy.runs import write_run

TEXTS = ["the film was lovely", "", "Das ist kein Ünglück, " + "so very " * 100, "x [SEP] y"]
ALONE = """
import json, sys

class OnlyNumpy:
    own = {"predict", "calibration", "command", "table", "bag", "dendritic", "wordpiece"}

    def find_spec(self, name, path=None, target=None):
        top = name.split(".")[0]
        if top not in sys.stdlib_module_names and top != "numpy" and top not in self.own:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, OnlyNumpy())
sys.path.insert(0, sys.argv[1])
from predict import Model
print(json.dumps(Model()(json.loads(sys.argv[2]))))
"""


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An output folder with a packed bag of words (dddd), and its bundles as a folder and as a .zip."""
    output = tmp_path_factory.mktemp("outputs")
    write_run(output, "dddd", is_packed=True, family="dsn", readout={"name": "mean"}, positions=512)
    for words in ([], [f"out={output}/made/b.zip"]):
        assert main(["dddd", "format=bundle", f"paths.output={output}", *words]) == 0
    return output


def test_a_bundle_answers_with_numpy_alone(packed: Path, tmp_path: Path) -> None:
    folder = packed / "dddd" / "export" / "bundle"
    words = [sys.executable, "-P", "-c", ALONE, str(folder), json.dumps(TEXTS)]
    done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == PackedPredictor(find_model("dddd", packed, "auto"))(TEXTS)
    command = [sys.executable, str(folder / "predict.py"), "a film"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False, env={})
    assert json.loads(done.stdout)["prediction"] in ("negative", "positive"), done.stderr


def test_the_manifest_has_every_file_and_the_zip_is_the_folder(packed: Path) -> None:
    folder = packed / "dddd" / "export" / "bundle"
    manifest = json.loads((folder / "manifest.json").read_text())
    found = {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}
    facts = {name: {"bytes": len(made), "sha256": hashlib.sha256(made).hexdigest()} for name, made in found.items()}
    assert {name: fact for name, fact in facts.items() if name != "manifest.json"} == manifest["files"]
    assert manifest["labels"] == ["negative", "positive"] and manifest["packages"] == ["numpy>=2"]
    with zipfile.ZipFile(packed / "made" / "b.zip") as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == found


def test_run_predict_reads_a_bundle(packed: Path) -> None:
    found = find_model(str(packed / "dddd" / "export" / "bundle"), packed, "auto")
    assert found.engine == "numpy"
    assert PackedPredictor(found)(TEXTS) == PackedPredictor(find_model("dddd", packed, "auto"))(TEXTS)


def test_only_an_export_is_replaced(packed: Path, tmp_path: Path) -> None:
    words = ["dddd", "format=bundle", f"paths.output={packed}"]
    (tmp_path / "own.zip").write_bytes(b"not a zip")
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "notes.txt").write_text("mine")
    for name in ("own.zip", "own"):
        with pytest.raises(ConfigError, match="is not replaced"):
            main([*words, f"out={tmp_path / name}"])
    assert main([*words, f"out={packed}/made/b.zip"]) == 0, "an earlier export is"
    with pytest.raises(ConfigError, match="int8=true: run dddd is already packed"):
        main([*words, "int8=true"])


def test_a_model_over_n_grams_needs_no_file_about_pieces(packed: Path, tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(golden_content())
    trained = replace(find_model("dddd", packed, "torch"), folder=tmp_path, labels=("neg", "pos"))
    folder = write_packed_bundle(trained, tmp_path / "made").folder
    assert {file.name for file in folder.glob("*.py")} == {"predict.py", "calibration.py", "command.py", "table.py"}
    assert Model(folder)("good")["prediction"] == "pos"
    assert sources_for({"kind": "ngram", "pairs": {"cross": True}}) == (
        "predict.py", "calibration.py", "command.py", "table.py", "pairs.py",
    )  # fmt: skip
    assert "pairs.py" in sources_for({"kind": "pair", "ngrams": {}}) and "pairs.py" not in sources_for({"kind": "pair"})


def test_a_model_with_dendrites_answers_with_numpy_alone(packed: Path, tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(test_fold.pack(test_layers.grown(test_fold.make())))
    trained = replace(find_model("dddd", packed, "torch"), folder=tmp_path, labels=("no", "yes"))
    folder = write_packed_bundle(trained, tmp_path / "made").folder
    words = [sys.executable, "-P", "-c", ALONE, str(folder), json.dumps(TEXTS)]
    done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == Model(tmp_path)(TEXTS)


def test_the_page_of_an_8_bit_graph_does_not_claim_the_calibration_of_its_run() -> None:
    own = Calibration({"method": "temperature", "temperature": 1.5, "rows": 360, "split": "val", "of": ["a"]})
    page = "Probabilities are softmax(logits / 1.5), fitted on 360 rows of val (ECE 0.02).\n\n| metric | value |\n"
    table = "\n\n| metric | value |\n"
    assert as_calibrated(page, Calibration(own.facts | {"of": ["b"]}), own) == page
    refitted = Calibration(own.facts | {"temperature": 1.7, "rows": 300})
    said = "Its answers are probabilities, calibrated on 300 rows of val (calibration.json)."
    assert as_calibrated(page, refitted, own) == said + table
    lost = Calibration({"method": "none", "reason": "the data are gone"})
    said = "Its answers are scores, not probabilities: the data are gone (calibration.json)."
    assert as_calibrated(page, lost, own) == said + table


def test_the_page_of_a_bundle_names_its_columns_and_only_files_that_are_there(packed: Path, tmp_path: Path) -> None:
    trained = replace(find_model("dddd", packed, "torch"), folder=tmp_path, columns=("review",))
    card = model_card(RunRecord.from_json(record_json()), "AutoModelForSequenceClassification")
    (tmp_path / "README.md").write_text(card, encoding="utf-8")
    page = usage(trained, trained)
    assert "# with a column `review`; --text names another" in page
    scores = page + "\nLabel scores are not probabilities: the rows of val train too. And so on.\nend\n"
    known = Calibration({"method": "temperature", "temperature": 1.5, "rows": 360, "split": "the folds"})
    said = "\nIts answers are probabilities, calibrated on 360 rows of the folds (calibration.json).\nend\n"
    assert as_calibrated(scores, known, Calibration()) == page + said
    assert as_calibrated(scores, Calibration(), Calibration()) == scores
    assert "from_pretrained" in card and "from_pretrained" not in page and "| metric | value |" in page
