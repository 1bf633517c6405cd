"""A promise is made on rows that were not used otherwise, and refused with what can be promised instead."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.calibration import OUT_OF_FOLD
from runner.deploy.promise import WantedPromise, calibration_split, find_promise, surest_of, with_commas
from runner.errors import ConfigError
from runner.record.folder import find_record
from runner.statistics.rejection import Threshold, find_threshold
from tests.records import a_record, record_json
from tests.runner.deploy.promised import add_answers, store
from tests.runner.deploy.runs import write_run

FIVE = WantedPromise(0.05)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    output = tmp_path_factory.mktemp("outputs")
    return output, write_run(output, "aaaa")


def logits_of(rows: int = 600) -> np.ndarray:
    return np.random.default_rng(1).normal(0, 2, (rows, 2)).astype(np.float32)


def promise_of(made: tuple[Path, dict[str, Any]], wanted: WantedPromise = FIVE, models: int = 1) -> dict[str, Any]:
    output, _ = made
    return find_promise(find_record(output, "aaaa"), output / "aaaa", wanted, models)


def prepare(made: tuple[Path, dict[str, Any]], logits: np.ndarray, **data: Any) -> None:
    output, record = made
    add_answers(output / "aaaa", logits, json.loads(json.dumps(record, default=str)), **data)


def test_the_answered_rows_are_those_of_the_promise(made: tuple[Path, dict[str, Any]]) -> None:
    logits = logits_of()
    prepare(made, logits)
    promise = promise_of(made)
    shares = np.exp(logits.astype(np.float64))
    confidence = (shares / shares.sum(1, keepdims=True)).max(1)
    assert (confidence > promise["threshold"]).sum() == promise["answered"]
    assert {key: promise[key] for key in ("alpha", "delta", "models", "rows", "split", "rows_sha256")} == {
        "alpha": 0.05, "delta": 0.05, "models": 1, "rows": 600, "split": "val", "rows_sha256": "b" * 64,
    }  # fmt: skip
    assert promise["errors"] < 0.05 * promise["answered"] and json.loads(json.dumps(promise)) == promise
    assert promise_of(made, models=50)["answered"] < promise["answered"]


def test_one_class_is_answered_with_the_wanted_precision(made: tuple[Path, dict[str, Any]]) -> None:
    prepare(made, logits_of())
    promise = promise_of(made, WantedPromise(0.1, ("positive",)))
    part = promise["classes"]["positive"]
    assert "threshold" not in promise and set(promise["classes"]) == {"positive"}
    assert part["errors"] < 0.1 * part["answered"] < 0.1 * part["support"] + 10
    both = promise_of(made, WantedPromise(0.1, ("positive", "negative")))["classes"]
    assert list(both) == ["positive", "negative"] and both["positive"]["answered"] <= part["answered"]


@pytest.mark.parametrize(("typed", "classes"), [
    ("a, b", ["a, b"]),
    ("a,b", ["a, b"]),
    ("c,a, b", ["c", "a, b"]),
    ("a,c,c", ["a", "c"]),
    ("a, d", ["a", "d"]),  # d is no label, and is refused by its name
])  # fmt: skip
def test_a_class_may_have_a_comma_in_its_name(typed: str, classes: list[str]) -> None:
    parts = [part.strip() for part in typed.split(",")]
    assert with_commas(parts, ["a, b", "a", "c"]) == tuple(classes)


def test_what_cannot_be_promised_is_refused_with_the_nearest_that_can(made: tuple[Path, dict[str, Any]]) -> None:
    prepare(made, logits_of())
    with pytest.raises(ConfigError) as refused:
        promise_of(made, WantedPromise(0.01))
    message = str(refused.value)
    assert "reject=0.01: cannot be promised from the 600 rows of val" in message and "which answers" in message
    nearest = float(message.split("The nearest that can: reject=")[1].split(",")[0])
    assert promise_of(made, WantedPromise(nearest))["answered"] > 0
    prepare(made, logits_of(60))
    with pytest.raises(ConfigError, match="it needs at least 80 rows without a single mistake, but has 60"):
        promise_of(made)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"selection": None}, "it has no selection rows"),
        ({"primary": "val/accuracy"}, "the rows of val are the reported ones too"),
        ({"fingerprints": {"train": "b", "val": "b", "test": "c"}}, "val and train are the same rows"),
        ({"fingerprints": {"train": "a", "val": "b", "test": "b"}}, "val and test are the same rows"),
        ({"duplicates": {"train+val/exact": 60}}, "60 of the 600 texts of val occur in train"),
        ({"duplicates": {"val+test/exact": 60}}, "60 of the 600 texts of val occur in test"),
    ],
)
def test_rows_that_were_used_otherwise_promise_nothing(
    made: tuple[Path, dict[str, Any]], data: dict[str, Any], reason: str
) -> None:
    prepare(made, logits_of(), **data)
    with pytest.raises(ConfigError, match=f"no rows to base it on: {reason}"):
        promise_of(made)


def test_rows_that_folds_held_out_must_not_be_reported_either() -> None:
    rows, prints = {"train": 600, "val": 200, "test": 90, OUT_OF_FOLD: 600}, {"train": "a", "val": "b", "test": "c"}
    known = {"calibration": OUT_OF_FOLD, "rows": rows, "fingerprints": prints | {OUT_OF_FOLD: f"{OUT_OF_FOLD} a"}}
    record = a_record(data=record_json()["data"] | known | {"selection": "val/accuracy"})
    assert calibration_split(record, "reject=0.05") == OUT_OF_FOLD
    record.data.duplicates["train+test/exact"] = 60
    with pytest.raises(ConfigError, match="60 of the 600 texts of out_of_fold occur in test"):
        calibration_split(record, "reject=0.05")


def test_a_few_repeats_are_no_reason(made: tuple[Path, dict[str, Any]]) -> None:
    prepare(made, logits_of(), duplicates={"train+val/exact": 5})
    assert promise_of(made)["answered"]


def test_a_run_without_logits_says_how_to_make_them(made: tuple[Path, dict[str, Any]]) -> None:
    prepare(made, logits_of())
    (made[0] / "aaaa" / "predictions-val.parquet").unlink()
    with pytest.raises(ConfigError, match=r"has no logits of val. Make them: run model=bert-tiny .* force=true"):
        promise_of(made)


def test_broken_rows_are_named(made: tuple[Path, dict[str, Any]]) -> None:
    logits = logits_of()
    prepare(made, logits)
    folder = made[0] / "aaaa"
    logits[41, 1] = np.nan
    store(folder, logits, np.arange(600) % 2)
    with pytest.raises(ConfigError, match="the logits of row 42 of val are not finite"):
        promise_of(made)
    store(folder, logits_of(), np.zeros(600, np.int64))
    with pytest.raises(ConfigError, match="all 600 rows of val have the label 'negative'"):
        promise_of(made)


def test_an_unknown_class_and_a_run_without_labels_are_refused(made: tuple[Path, dict[str, Any]]) -> None:
    prepare(made, logits_of())
    with pytest.raises(ConfigError, match=r"class=positiv: is not a label .* Try: class=positive"):
        promise_of(made, WantedPromise(0.05, ("positiv",)))
    prepare(made, logits_of(), labels=["bad, or worse", "good"])
    with pytest.raises(ConfigError, match=r"of run aaaa \('bad, or worse', 'good'\)"):
        promise_of(made, WantedPromise(0.05, ("positiv",)))
    prepare(made, logits_of(), task="regression", labels=[])
    with pytest.raises(ConfigError, match="has task regression, but a promise is for models that answer one label"):
        promise_of(made)
    prepare(made, logits_of(), labels=["sure", "unsure"])
    with pytest.raises(ConfigError, match="a label of this run is itself called 'unsure'"):
        promise_of(made)


@pytest.mark.parametrize("rare", [0.5, 0.1])
def test_the_precision_holds_for_common_and_rare_classes(rare: float) -> None:
    """The starts are shares of the rows that the model gives the class, which scatter; labels are drawn from p."""
    rng, grid = np.random.default_rng(0), (np.arange(20000) + 0.5) / 20000

    def probability(s: np.ndarray) -> np.ndarray:
        return np.asarray(0.99 / (1 + np.exp(-(s - (1 - rare)) * 12 / rare)))

    violated = answered = 0
    for _ in range(300):
        p = probability(rng.random(2000))
        truth = (rng.random(2000) < p).astype(np.int64)
        confidence, is_wrong, usual = surest_of(np.stack([1 - p, p], 1), truth, ("no", "yes"), "yes", ("yes",))
        found = find_threshold(confidence, is_wrong, 0.05, usual=usual)
        if isinstance(found, Threshold):
            answered += 1
            true = probability(grid)
            violated += true[true > found.threshold].mean() < 0.95
    assert answered > 150 and violated <= 15
