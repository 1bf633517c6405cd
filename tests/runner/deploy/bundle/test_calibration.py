"""The calibration.json beside weights: used where it is of these weights, else left out with the reason."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from runner.deploy.bundle.calibration import CALIBRATION_FILE, Calibration, hash_of, read_calibration


def weights_with(folder: Path, **facts: Any) -> Path:
    """A file of weights with a calibration of it."""
    weights = folder / "model.bin"
    weights.write_bytes(b"weights")
    content = {"method": "temperature", "temperature": 2.0, "of": [hash_of(weights)]} | facts
    (folder / CALIBRATION_FILE).write_text(json.dumps(content) + "   \n", encoding="utf-8")
    return weights


def test_a_temperature_divides_the_scores(tmp_path: Path) -> None:
    found = read_calibration(weights_with(tmp_path))
    assert found.is_calibrated and not found.problem and found.apply([1.0, -3.0]) == [0.5, -1.5]
    assert hash_of(tmp_path / "model.bin") == hashlib.sha256(b"weights").hexdigest()


def test_a_power_bends_the_scores_of_a_text_by_how_far_apart_they_are(tmp_path: Path) -> None:
    found = read_calibration(weights_with(tmp_path, power=0.5))
    assert found.apply([0.0, 8.0]) == pytest.approx([0.0, 2.0]) and found.apply([2.0, 2.0]) == [1.0, 1.0]
    rows = np.array([[0.0, 8.0, 1.0], [2.0, 2.0, 2.0]], np.float32)
    assert np.allclose(found.apply_rows(rows), [found.apply(row) for row in rows.tolist()], atol=1e-12)


def test_vector_scaling_has_a_weight_and_a_shift_for_each_class(tmp_path: Path) -> None:
    found = read_calibration(weights_with(tmp_path, method="vector", weights=[2, 3], shifts=[0.5, -0.5]))
    assert found.apply([1.0, 2.0]) == [2.5, 5.5]


def test_scores_stay_as_they_are_without_a_file(tmp_path: Path) -> None:
    weights = weights_with(tmp_path)
    (tmp_path / CALIBRATION_FILE).unlink()
    found = read_calibration(weights)
    assert not found.is_calibrated and not found.problem and found.apply([1.0, 2.0]) == [1.0, 2.0]
    assert found.describe(0.9) == "scores, not probabilities: no calibration is known for it"


def test_other_weights_are_not_calibrated_and_it_is_said(tmp_path: Path) -> None:
    weights = weights_with(tmp_path)
    weights.write_bytes(b"others")
    found = read_calibration(weights)
    assert not found.is_calibrated and found.apply([1.0]) == [1.0]
    assert found.problem == "calibration.json was made for other weights than model.bin, so it is not used"


@pytest.mark.parametrize(
    "facts",
    [
        {"temperature": 0},
        {"temperature": "x"},
        {"temperature": float("nan")},
        {"of": None},
        {"weights": [1]},
        {"weights": [1, float("nan")], "shifts": [0, 0]},
        {"weights": [1, 1, 1], "shifts": [0, 0, 0]},
        {"power": 0},
    ],
)
def test_a_damaged_file_is_not_used_and_it_is_said(tmp_path: Path, facts: dict[str, Any]) -> None:
    found = read_calibration(weights_with(tmp_path, **facts), 2)
    assert not found.is_calibrated and found.problem.startswith("calibration.json is damaged")


def test_a_probability_is_described_by_what_is_known_of_its_calibration() -> None:
    facts = {"method": "temperature", "temperature": 1.5, "ece_floor_95": 0.02}
    assert Calibration(facts | {"ece": 0.01}).describe(0.834) == "about 83 in 100 such answers are right"
    assert Calibration(facts | {"ece": 0.01}).describe(0.9999) == "about 99 in 100 such answers are right"
    assert Calibration(facts | {"ece": 0.031}).describe(0.834) == "confidence 0.83 (off by about 0.03 on average)"
    refused = Calibration({"method": "none", "reason": "no mistake on the 120 calibration rows"})
    assert refused.describe(0.9) == "scores, not probabilities: no mistake on the 120 calibration rows"
