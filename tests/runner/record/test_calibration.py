"""The part of a record that says how logits become probabilities: read, written, applied, put into words."""

from __future__ import annotations

import numpy as np
import pytest

from runner.record.calibration import NONE, TEMPERATURE, VECTOR, CalibrationFacts
from runner.record.predictions import calibrated_probabilities
from runner.record.record import RecordError, RunRecord
from runner.statistics.probabilities import softmax
from tests.records import record_json

LOGITS = np.array([[1.0, 2.0], [3.0, -1.0]])


def with_calibration(**facts: object) -> RunRecord:
    return RunRecord.from_json(record_json() | {"calibration": facts})


def test_a_record_keeps_its_calibration_and_an_older_one_has_none() -> None:
    record = with_calibration(method=TEMPERATURE, temperature=1.5, split="val", rows=900, ratio=12.5, of=["ab"])
    assert record.is_calibrated and RunRecord.from_json(record.to_json()) == record
    older = RunRecord.from_json(record_json())
    assert older.calibration is None and not older.is_calibrated and "calibration" not in older.to_json()


def test_the_line_says_who_answered_the_rows() -> None:
    own = CalibrationFacts(TEMPERATURE, 1.5, split="val", rows=900)
    assert own.describe() == "temperature 1.5, from 900 rows of val"
    bent = CalibrationFacts(TEMPERATURE, 1.0, 0.75, split="val", rows=900)
    assert bent.describe() == "temperature 1 with power 0.75, from 900 rows of val"
    by_folds = CalibrationFacts(TEMPERATURE, 1.5, split="out_of_fold", rows=900, folds=["a", "b"])
    assert by_folds.describe() == "temperature 1.5, from the answers to 900 training rows by 2 runs that held them out"
    record = with_calibration(method=TEMPERATURE, temperature=1.5, folds=["a", "b"])
    assert RunRecord.from_json(record.to_json()).calibration == record.calibration and record.calibration
    assert record.calibration.folds == ["a", "b"]


def test_probabilities_are_those_of_the_calibrated_logits() -> None:
    older = RunRecord.from_json(record_json())
    assert np.array_equal(calibrated_probabilities(older, LOGITS), softmax(LOGITS))
    warm = with_calibration(method=TEMPERATURE, temperature=2.0)
    assert np.allclose(calibrated_probabilities(warm, LOGITS), softmax(LOGITS / 2))
    bent = with_calibration(method=TEMPERATURE, temperature=2.0, power=0.5)
    assert np.allclose(calibrated_probabilities(bent, LOGITS), softmax(np.array([[0, 0.5**0.5], [2**0.5, 0]])))
    vector = with_calibration(method=VECTOR, temperature=1.0, weights=[1.0, 0.5], shifts=[0.25, -0.25])
    assert np.allclose(calibrated_probabilities(vector, LOGITS), softmax([[1.25, 0.75], [3.25, -0.75]] @ np.eye(2)))


@pytest.mark.parametrize(
    "facts",
    [{"method": "magic", "temperature": 1.0}, {"method": NONE}, {"method": TEMPERATURE, "temperature": "1"},
     {"method": VECTOR, "temperature": 1.0, "weights": ["a"]}],
)  # fmt: skip
def test_a_damaged_calibration_is_no_record(facts: dict[str, object]) -> None:
    with pytest.raises(RecordError, match="calibration"):
        with_calibration(**facts)


def test_a_calibration_is_described_in_words() -> None:
    warm = CalibrationFacts(TEMPERATURE, 1.3579, split="val", rows=2500)
    assert warm.describe() == "temperature 1.36, from 2,500 rows of val"
    kept = CalibrationFacts(TEMPERATURE, split="val", rows=2500, reason="no temperature gains more than noise")
    assert kept.describe() == "none needed: no temperature gains more than noise"
    assert CalibrationFacts(reason="why").describe() == "none, only raw scores: why"
