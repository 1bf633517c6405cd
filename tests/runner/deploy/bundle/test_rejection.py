"""Answers as a promise allows them, and promises that a reader cannot keep."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from runner.deploy.bundle.calibration import CALIBRATION_FILE, PromiseError, hash_of, read_calibration
from runner.deploy.bundle.rejection import check_promise, keep_promise, promise_in

LABELS = ("good", "bad", "fraud")


def an_answer(*shares: float) -> dict[str, Any]:
    best = max(range(3), key=shares.__getitem__)
    return {"prediction": LABELS[best], "probabilities": dict(zip(LABELS, shares))}


@pytest.mark.parametrize(
    ("shares", "said"), [((0.8, 0.1, 0.1), "good"), ((0.1, 0.2, 0.7), "unsure"), ((0.4, 0.3, 0.3), "unsure")]
)
def test_an_answer_is_given_above_the_threshold_alone(shares: tuple[float, ...], said: str) -> None:
    found = keep_promise({"threshold": 0.7}, an_answer(*shares))
    assert found == {"prediction": said, "most_probable": an_answer(*shares)["prediction"],
                     "probabilities": dict(zip(LABELS, shares))}  # fmt: skip
    assert list(found) == ["prediction", "most_probable", "probabilities"]


def test_a_class_is_answered_also_where_another_is_more_probable() -> None:
    promise = {"classes": {"fraud": {"threshold": 0.3}}}
    found = keep_promise(promise, an_answer(0.5, 0.1, 0.4))
    assert (found["prediction"], found["most_probable"]) == ("fraud", "good")
    assert keep_promise(promise, an_answer(0.8, 0.1, 0.1))["prediction"] == "unsure"
    both = {"classes": {"good": {"threshold": 0.6}, "fraud": {"threshold": 0.3}}}
    assert keep_promise(both, an_answer(0.5, 0.1, 0.4))["prediction"] == "unsure"  # the more probable of the two
    assert keep_promise(both, an_answer(0.7, 0.1, 0.2))["prediction"] == "good"


@pytest.mark.parametrize(
    "promise",
    [
        {},
        [],
        {"threshold": "high"},
        {"threshold": float("nan")},
        {"classes": {}},
        {"classes": {"spam": {"threshold": 1}}},
    ],
)
def test_a_damaged_promise_is_refused(promise: Any) -> None:
    with pytest.raises(PromiseError, match=r"calibration.json: 'reject' .* Export"):
        check_promise(promise, LABELS, "calibration.json")


def test_a_label_called_unsure_has_no_promise() -> None:
    with pytest.raises(PromiseError, match="no thresholds for these labels"):
        check_promise({"threshold": 0.5}, ("sure", "unsure"), "calibration.json")


def test_a_promise_for_other_weights_is_refused_and_not_dropped(tmp_path: Path) -> None:
    weights, place = tmp_path / "model.bin", tmp_path / CALIBRATION_FILE
    weights.write_bytes(b"weights")
    assert promise_in(read_calibration(weights).facts, LABELS) is None
    facts = {"method": "none", "of": [hash_of(weights)], "reject": {"threshold": 0.5}}
    place.write_text(json.dumps(facts), encoding="utf-8")
    assert promise_in(read_calibration(weights).facts, LABELS) == {"threshold": 0.5}
    weights.write_bytes(b"other weights")
    with pytest.raises(
        PromiseError, match=r"does not hold: calibration.json was made for other weights than model.bin"
    ):
        read_calibration(weights)
    place.write_text(json.dumps(facts)[:-3], encoding="utf-8")
    with pytest.raises(PromiseError, match=r"does not hold: calibration.json is damaged"):
        read_calibration(weights)
    del facts["reject"]
    place.write_text(json.dumps(facts), encoding="utf-8")
    assert not read_calibration(weights).facts


def test_a_second_promise_goes_by_the_label_and_not_by_unsure() -> None:
    unsure = keep_promise({"threshold": 0.9}, an_answer(0.8, 0.1, 0.1))
    assert keep_promise({"threshold": 0.7}, unsure)["prediction"] == "good"
