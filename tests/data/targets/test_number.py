"""Targets of a regression: which are standardised, and which float32 cannot hold."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.errors import DataError
from data.labels import Labels
from data.load import load_splits
from data.settings import DataSettings
from data.splits import Splits, TargetScale
from data.targets.number import Number
from tests.data.helpers import column_of


def read(folder: Path, targets: np.ndarray, **options: Any) -> Splits:
    lines = [f"text number {i},{target!r}" for i, target in enumerate(targets.tolist())]
    (folder / "d.csv").write_text("\n".join(["text,label", *lines]) + "\n", encoding="utf-8")
    settings = DataSettings(source="files", path=str(folder / "d.csv"), task="regression", **options)
    return load_splits(settings, tokenizer="train", vocab_size=200, cache=folder / "cache")


def refused(folder: Path, targets: np.ndarray, **options: Any) -> str:
    with pytest.raises(DataError) as raised:
        read(folder, targets, **options)
    assert "\n" not in str(raised.value) and re.search("Try: |Fix ", str(raised.value))
    return str(raised.value)


SPREAD = np.sin(np.arange(60.0))  # mean 0, standard deviation 0.7


@pytest.mark.parametrize(
    ("mean", "width", "is_standardised"),
    [(2.5, 2, False), (0, 1, False), (0.5, 0.5, False), (250_000, 70_000, True), (-20, 1, True), (0, 20, True),
     (0.0015, 0.0005, True), (2000, 10, True)],
)  # fmt: skip
def test_targets_that_a_fresh_head_is_far_from_are_standardised(
    tmp_path: Path, mean: float, width: float, is_standardised: bool
) -> None:
    targets = mean + width * SPREAD
    splits = read(tmp_path, targets)
    assert (splits.task.target_scale is not None) == is_standardised
    assert any("targets are standardised" in note for note in splits.notes) == is_standardised
    labels = np.asarray(splits.train.labels.values)
    assert labels.dtype == np.float32 and set(labels) <= set(targets.astype(np.float32))
    if splits.task.target_scale:
        assert splits.task.scale == pytest.approx(float(np.std(labels, dtype=np.float64)))
        scale = splits.task.target_scale
        assert scale is not None
        standard = (labels - scale.mean) / scale.sd
        assert abs(float(standard.mean())) < 1e-3 and float(standard.std()) == pytest.approx(1.0, abs=1e-3)


def test_the_statistics_are_those_of_the_training_rows_in_use(tmp_path: Path) -> None:
    splits = read(tmp_path, 1000 + 100 * SPREAD, max_rows=20)
    labels = np.asarray(splits.train.labels.values, np.float64)
    assert splits.task.target_scale == TargetScale(float(labels.mean()), float(labels.std())) and len(labels) == 20


def test_standardising_can_be_forced_and_forbidden(tmp_path: Path) -> None:
    assert read(tmp_path, SPREAD, standardize="always").task.target_scale
    assert read(tmp_path, 1000 + SPREAD, standardize="never").task.target_scale is None
    settings = DataSettings(demo_rows=40, standardize="always")
    with pytest.raises(DataError, match=r"needs numbers as labels, but this is classification. Try: data.standardize"):
        load_splits(settings, tokenizer="train", vocab_size=200, cache=tmp_path / "cache")


@pytest.mark.parametrize(
    ("targets", "said"),
    [
        (1.7e9 + 10 * SPREAD, r"around 1,700,000,00\d.*steps of 128.*Try: subtract 1,700,000,00\d from the column"),
        (2.0**24 + np.arange(60.0) % 3, "steps of 2 there. Try: subtract 16,777,217"),
        (np.full(60, 7.5), "all 60 training targets are 7.5, so there is nothing to learn"),
        (1e36 * SPREAD, r"as large as 1e\+36.*Try: divide the column by 1e\+36"),
        (1e-32 * SPREAD, "standard deviation of 7.05e-33, too small for float32. Try: divide the column by 7e-33"),
        (np.where(np.arange(60) == 7, np.inf, SPREAD), "'inf' is not a finite number"),
        (np.where(np.arange(60) == 7, np.nan, SPREAD), r"1 of 60 rows have no gold label \(nan; rows 9\)"),
    ],
)
def test_targets_that_float32_cannot_hold_are_refused(tmp_path: Path, targets: np.ndarray, said: str) -> None:

    assert re.search(said, message := refused(tmp_path, targets)), message


def test_years_seconds_and_one_huge_target_are_taken(tmp_path: Path) -> None:
    for targets in (2000.0 + np.arange(60) % 30, 1.7e9 + 1e6 * SPREAD, np.where(np.arange(60) == 7, 1e30, SPREAD)):
        assert read(tmp_path, targets).task.target_scale


def test_training_rows_that_happen_to_be_equal_are_refused(tmp_path: Path) -> None:
    targets = np.where(np.arange(60) == 7, 3.0, 5.0)
    assert "targets are 5, so there is nothing to learn" in refused(tmp_path, targets, max_rows=2)


def test_targets_of_minus_one_are_dropped_on_request_and_otherwise_numbers_below_0(tmp_path: Path) -> None:
    targets = np.where(np.arange(60) % 6 == 0, -1, 2 + SPREAD)
    assert read(tmp_path, targets, unlabelled="drop").train.labels.values.min() >= 1
    assert read(tmp_path, targets).train.labels.values.min() == -1


def test_minus_one_beside_numbers_above_0_alone_may_be_a_mark_and_is_told(tmp_path: Path) -> None:
    marked = np.tile([-1.0, 0.5, 2.5, 4.0, 3.5, 1.0], 10)
    told = "the label -1 is taken as a number, and is the only one below 0"
    assert any(told in note for note in read(tmp_path, marked).notes)
    for targets, options in (
        (marked, {"unlabelled": "drop"}), (marked - 0.5, {}), (np.tile([-1.0, 0.0, 1.0], 20), {}),
    ):  # fmt: skip
        assert not any(told in note for note in read(tmp_path, targets, **options).notes)


@pytest.mark.parametrize(
    ("targets", "is_standardised"),
    [
        ([9, 11], False), ([9.25, 11.25], True), ([-11, -9], False), ([-11.25, -9.25], True),  # mean 10
        ([-10, 10], False), ([-10.25, 10.25], True),  # standard deviation 10
        ([-0.125, 0.125], False), ([-0.0625, 0.0625], True),  # standard deviation 0.1
    ],
)  # fmt: skip
def test_targets_within_10_of_0_and_neither_wide_nor_narrow_are_left(
    targets: list[float], is_standardised: bool
) -> None:
    found = Number().scale(DataSettings(task="regression"), Labels(np.array(targets)), "here")
    assert (found is not None) == is_standardised


def test_a_range_goes_from_the_smallest_to_the_largest_target() -> None:
    settings, labels = DataSettings(task="regression", standardize="range"), Labels(np.array([3.0, -1.0, 7.0, 2.0]))
    assert Number().scale(settings, labels, "here") == TargetScale(-1.0, 8.0)


def target_of(labels: list[str], **options: Any) -> Number:
    return Number.of(DataSettings(**options), column_of(labels), "train")


def test_few_whole_numbers_with_a_decimal_point_may_be_classes() -> None:
    whole = [f"{i}.0" for i in range(20)]
    with pytest.raises(
        DataError, match=r"20 different whole numbers.*\(0\.0, 1\.0, .*, \.\.\.\).*data.task=regression"
    ):
        target_of(whole * 2)
    with pytest.raises(DataError, match=r"2 different whole numbers.*\(0\.0, 1\.0\)"):
        target_of(["1.0", "0.0"])
    for labels, options in ((whole, {"task": "regression"}), ([*whole, "20.0"], {}), ([*whole[:4], "0.5"], {})):
        assert not target_of(labels, **options).has_negative


def test_numbers_are_read_unless_they_are_classes_words_or_another_task() -> None:
    def reads(labels: list[str], task: str = "auto") -> bool:
        return Number.reads(DataSettings(task=task), column_of(labels))

    assert reads(["0.5", "1"]) and not reads(["0", "1"]) and not reads(["0.5", "good"])
    assert reads(["0", "1"], "regression") and reads(["good"], "regression") and not reads(["0.5"], "classification")
    assert not Number.reads(DataSettings(), column_of(["0.5", "1.5"], ("low", "high")))


def test_a_label_that_is_no_number_is_named_with_its_row_and_the_cure() -> None:
    with pytest.raises(DataError, match=r"train row 2: the label '1\.234,5' is not a number\. Write it like 1234\.5"):
        target_of(["0.5", "1.234,5"], task="regression")
    with pytest.raises(DataError, match=r"the label 'good' is not a number\. Try: data\.task=classification"):
        target_of(["0.5", "good"], task="regression")
