"""A calibration as it is fitted, kept in a file of a fixed size, and used by every form of a model."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.checkpoints.read import WEIGHTS
from models.packed.format import NAME as PACKED
from runner.deploy.bundle.calibration import CALIBRATION_FILE, read_calibration
from runner.deploy.bundles import write_packed_bundle
from runner.deploy.calibrations import SIZE, file_size, fit_calibration, write_calibration
from runner.deploy.exported import find_model
from runner.deploy.page.make import calibration_code, reader_code
from runner.deploy.predictors import open_predictor
from runner.python.model import load
from runner.record.calibration import FILE, NONE, TEMPERATURE, VECTOR, CalibrationFacts
from runner.statistics.adaptive_temperature import apply_temperature
from runner.statistics.probabilities import softmax
from tests.runner.deploy.page.node import NEEDS_NODE, NODE
from tests.runner.deploy.runs import write_run

TEXTS = ["the film was lovely", "", "Das ist kein Ünglück, it is so very dull!", "no film", *"abcdefgh"]
SCORES = {"ece": 0.0123456789, "ece_floor_95": 0.02}


def drawn(rows: int, bias: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Logits twice too sharp that lack a bias, and labels."""
    random = np.random.default_rng(0)
    logits = random.normal(size=(rows, 3)) * 2
    labels = (logits + np.array([bias, 0, -bias]) + random.gumbel(size=logits.shape)).argmax(1)
    return 2 * logits, labels


def test_a_power_is_fitted_where_one_temperature_for_all_rows_does_not_do() -> None:
    random = np.random.default_rng(0)
    logits = random.normal(size=(3000, 2)) * random.gamma(2, 3, size=(3000, 1))
    labels = (apply_temperature(logits, 1.0, 0.6) + random.gumbel(size=logits.shape)).argmax(1)
    found = fit_calibration(logits, labels, ("a", "b"), method="temperature", split="val")
    assert found.method == TEMPERATURE and found.power == pytest.approx(0.6, abs=0.1) and found.reason is None
    assert (
        found.describe() == f"temperature {found.temperature:.3g} with power {found.power:.3g}, from 3,000 rows of val"
    )
    fallen = fit_calibration(logits, labels, ("a", "b"), method="vector", split="val")
    assert fallen.method == VECTOR or fallen.power == found.power


def test_a_temperature_is_fitted_and_vector_scaling_only_on_request_and_where_it_is_better() -> None:
    names = ("a", "b", "c")
    plain = fit_calibration(*drawn(2000, 1.0), names, method="temperature", split="val")
    assert plain.method == TEMPERATURE and plain.is_calibrated and (plain.split, plain.rows) == ("val", 2000)
    assert fit_calibration(*drawn(2000), names, method="temperature", split="val").temperature == pytest.approx(2, 0.1)
    vector = fit_calibration(*drawn(2000, 1.0), names, method="vector", split="val")
    assert vector.method == VECTOR and vector.shifts == pytest.approx([1, 0, -1], abs=0.2)
    assert vector.describe() == "vector scaling, from 2,000 rows of val"
    fallen = fit_calibration(*drawn(2000), names, method="vector", split="val")
    assert fallen.method == TEMPERATURE and "within noise" in str(fallen.reason) and fallen.temperature != 1
    few = fit_calibration(*drawn(60), names, method="vector", split="val")
    assert few.method == NONE and not few.is_calibrated and "needs at least 100 rows" in few.describe()


@pytest.mark.parametrize(
    "facts",
    [
        CalibrationFacts(),
        CalibrationFacts(TEMPERATURE, 1.2345678901234567e-05, split="val_mm", rows=10**9, ratio=3.9),
        CalibrationFacts(TEMPERATURE, 12.345678901234567, 0.12345678901234568, split="out_of_fold", rows=10**9),
        CalibrationFacts(NONE, reason="no calibration row has the label " + "ä" * 400, split="val"),
        CalibrationFacts(VECTOR, weights=[1 / 3] * 5, shifts=[-1 / 3e7] * 5, split="val", rows=999_999),
    ],
)
def test_the_file_of_a_run_has_the_same_size_whatever_was_found(tmp_path: Path, facts: CalibrationFacts) -> None:
    weights = [tmp_path / WEIGHTS, tmp_path / PACKED]
    for path in weights:
        path.write_bytes(path.name.encode())
    setting = "vector" if facts.weights else "temperature"
    kept = write_calibration(weights, facts, SCORES, file_size(setting, 5))
    content = (tmp_path / FILE).read_bytes()
    assert len(content) == file_size(setting, 5) == SIZE + 250 * (setting == "vector") and content.endswith(b"\n")
    assert content.count(b"\n") == 1 and json.loads(content)["of"] == kept.of and len(kept.of) == 2
    for path in weights:  # both answer alike
        found = read_calibration(path)
        assert not found.problem and (found.temperature, found.power) == (facts.temperature, facts.power)
        assert found.facts["ece"] == 0.012346
    assert FILE == CALIBRATION_FILE


@pytest.fixture(scope="module")
def calibrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An output folder with a packed bag of words (dddd) of temperature 2.5 and power 0.7."""
    output = tmp_path_factory.mktemp("outputs")
    write_run(output, "dddd", is_packed=True, family="dsn", readout={"name": "mean"}, positions=512)
    keep(output, CalibrationFacts(TEMPERATURE, 2.5, 0.7, split="val", rows=500))
    return output


def keep(output: Path, facts: CalibrationFacts) -> None:
    weights = [output / "dddd" / "model" / name for name in (PACKED, WEIGHTS)]
    write_calibration(weights, facts, SCORES, SIZE)


def expected(output: Path, temperature: float, power: float = 1.0) -> np.ndarray:
    """The probabilities by hand, from the logits of the bundle's reader."""
    logits = open_predictor(find_model("dddd", output, "numpy")).model.scores(TEXTS)  # type: ignore[attr-defined]
    scaled = logits / temperature
    distances = scaled - scaled.mean(1, keepdims=True)
    return softmax(scaled * np.sqrt(2 * (distances**2).sum(1, keepdims=True)) ** (power - 1))


def shares(answers: list[dict[str, Any]]) -> np.ndarray:
    return np.array([list(one["probabilities"].values()) for one in answers])


def test_every_form_answers_with_the_same_probabilities(calibrated: Path, tmp_path: Path) -> None:
    wanted = expected(calibrated, 2.5, 0.7)
    assert np.abs(wanted - expected(calibrated, 2.5)).max() > 0.01
    for engine in ("numpy", "torch"):
        predictor = open_predictor(find_model("dddd", calibrated, engine))
        assert predictor.calibration.is_calibrated and "probability" in predictor.answer_fields[1].meaning
        assert np.allclose(shares(predictor(TEXTS)), wanted, atol=1e-6, rtol=0)
        assert [one["prediction"] for one in predictor(TEXTS)] == [
            predictor.answer_fields[0].names[place] for place in wanted.argmax(1)
        ]
    bundle = write_packed_bundle(find_model("dddd", calibrated, "torch"), tmp_path / "bundle").folder
    for source in (bundle, calibrated / "dddd" / "model"):
        assert np.allclose(load(source, output=calibrated).predict_proba(TEXTS), wanted, atol=1e-9, rtol=0)
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from predict import Model; print(Model()('a')['probabilities'])"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code, str(bundle)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(
        open_predictor(find_model("dddd", calibrated, "numpy"))(["a"])[0]["probabilities"]
    )


ASK = """
const { Model } = require(process.argv[2]), fs = require("fs");
Model.open(new Uint8Array(fs.readFileSync(process.argv[3])), CALIBRATION).then(model => {
  const answers = JSON.parse(process.argv[4]).map(text => model.answer(text).shares);
  console.log(JSON.stringify([answers, describeShare(0.834, CALIBRATION)]));
});
"""


@NEEDS_NODE
def test_a_page_answers_with_the_same_probabilities_and_words(calibrated: Path, tmp_path: Path) -> None:
    model = calibrated / "dddd" / "model" / PACKED
    calibration = read_calibration(model)
    code = reader_code({"kind": "dsn"}) + "\n" + calibration_code(calibration) + ASK
    (tmp_path / "reader.js").write_text(reader_code({"kind": "dsn"}), encoding="utf-8")
    (tmp_path / "page.js").write_text(code.replace("const { Model }", "const { Model: Other }"), encoding="utf-8")
    words = [str(NODE), str(tmp_path / "page.js"), str(tmp_path / "reader.js"), str(model), json.dumps(TEXTS)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answers, said = json.loads(done.stdout)
    assert np.allclose(answers, expected(calibrated, 2.5, 0.7), atol=1e-6, rtol=0)
    assert said == calibration.describe(0.834) == "about 83 in 100 such answers are right"


def test_changed_weights_answer_with_scores_and_say_why(calibrated: Path) -> None:
    path = calibrated / "dddd" / "model" / CALIBRATION_FILE
    before = path.read_bytes()
    content = json.loads(before)
    path.write_text(json.dumps(content | {"of": [hash_[::-1] for hash_ in content["of"]]}), encoding="ascii")
    try:
        predictor = open_predictor(find_model("dddd", calibrated, "numpy"))
        assert np.allclose(shares(predictor(TEXTS)), expected(calibrated, 1.0), atol=1e-9)
        assert "was made for other weights than model.bin" in predictor.calibration.about()
        assert (
            "score" in predictor.answer_fields[1].meaning and "not a probability" in predictor.answer_fields[1].meaning
        )
    finally:
        path.write_bytes(before)


def test_no_text_of_a_calibration_ends_the_script_of_a_page(tmp_path: Path) -> None:
    (tmp_path / PACKED).write_bytes(b"x")
    write_calibration([tmp_path / PACKED], CalibrationFacts(reason="</script><b>"), {}, SIZE)
    code = calibration_code(read_calibration(tmp_path / PACKED))
    assert "</script>" not in code and '"of"' not in code and "\\u003c/script>" in code
