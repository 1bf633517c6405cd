"""A promise says what holds, how often it fails, how many texts are answered, and what makes it weaker."""

from __future__ import annotations

from typing import Any

from runner.deploy.promise_text import remarks, sentences
from tests.records import a_record, record_json

COMMON = {"alpha": 0.05, "delta": 0.05, "models": 1, "rows": 2000, "split": "val", "rows_sha256": "b"}
FAILS = "this promise fails for at most 1 in 20 calibration samples"


def test_a_promise_for_every_answer() -> None:
    promise: dict[str, Any] = COMMON | {"threshold": 0.8, "answered": 1380, "errors": 40}
    assert sentences(promise) == [
        f"at most 5 % wrong among answered texts like the 2,000 calibration rows; {FAILS}",
        "about 69 % of texts are answered (67-71 %)",
    ]


def test_a_promise_that_holds_for_all_texts_says_so() -> None:
    assert sentences(COMMON | {"threshold": -1.0, "answered": 2000, "errors": 0})[1].startswith(
        "every text is answered"
    )


def test_a_promise_for_one_class_says_how_many_of_it_are_found() -> None:
    part = {"threshold": 0.4, "answered": 100, "errors": 2, "support": 160}
    held, shares = sentences(COMMON | {"alpha": 0.005, "classes": {"fraud": part}})
    assert held.startswith("at least 99.5 % right among texts answered 'fraud', if they are like the 2,000 calibration")
    assert shares == "about 5 % of texts are answered 'fraud' (4-6 %), which finds 61 % of those that are (53-69 %)"
    assert "finds" not in sentences(COMMON | {"classes": {"fraud": part | {"support": 0}}})[1]


def test_a_promise_by_the_models_of_folds_says_whose_it_is() -> None:
    promise: dict[str, Any] = COMMON | {"threshold": 0.8, "answered": 1380, "errors": 40, "split": "out_of_fold"}
    assert "like the 2,000 training rows as the models of the folds answered them" in sentences(promise)[0]
    assert "for the model of all rows this promise rests on a simulation" in remarks(promise, a_record())[0]
    record = a_record(data=record_json()["data"] | {"duplicates": {"train/normalised": 200}})
    assert remarks(promise, record)[0].startswith("200 of the 2,000 calibration rows repeat an earlier one")


def test_repeats_and_groups_make_it_weaker() -> None:
    promise: dict[str, Any] = COMMON | {"threshold": 0.8, "answered": 1380, "errors": 40}
    record = a_record()
    assert remarks(promise, record) == []
    assert remarks(promise | {"models": 12}, record) == ["12 models were compared on these rows, which is allowed for"]
    record.data.duplicates["val/normalised"] = 300
    record.config["data"]["group"] = "customer"
    assert remarks(promise, record) == [
        "300 of the 2,000 calibration rows repeat an earlier one, and add no evidence",
        "calibration rows of one group (data.group=customer) count as independent, which is overconfident",
    ]
