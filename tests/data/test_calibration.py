"""Rows set aside to calibrate on: where they come from, and which are refused."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.calibration import (
    CALIBRATION,
    OUT_OF_FOLD,
    calibration_file,
    calibration_hub_split,
    calibration_share,
    check_apart,
    rows_behind,
)
from data.errors import DataError
from data.load import read_rows
from data.settings import DataSettings
from data.sources.demo import generate_demo
from data.stores.build_once import SharedCache
from runner.config.compose import compose
from runner.config.resolve import resolve

Rows = list[tuple[str, str]]


def rows_of(count: int, seed: int, start: int = 0) -> Rows:
    """Rows of which no two have the same text."""
    rows = generate_demo("sentiment", count, seed=seed)
    return [(f"{text} number {start + place}", ("bad", "good")[label]) for place, (text, _, label) in enumerate(rows)]


def write(path: Path, rows: Rows) -> str:
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([("text", "label"), *rows])
    return str(path)


def test_out_of_fold_predictions_are_of_the_training_rows() -> None:
    assert [rows_behind(split) for split in (OUT_OF_FOLD, CALIBRATION, "val")] == ["train", CALIBRATION, "val"]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own")
    write(folder / "train.csv", rows_of(300, 1))
    write(folder / "later.csv", rows_of(120, 2, 1000))
    return folder


def split_rows(own: Path, **given: Any) -> dict[str, list[int]]:
    settings = DataSettings(source="files", path=str(own / "train.csv"), **given)
    rows = read_rows(settings, SharedCache(own / "cache"))
    return {name: rows.raw.splits[name].source_rows.tolist() for name in rows.fingerprints}


def test_the_value_is_a_share_a_file_or_a_split() -> None:
    cases: list[tuple[str | None, tuple[float | None, str | None, str | None]]] = [
        ("0.1", (0.1, None, None)), ("later.csv", (None, "later.csv", None)), ("dev", (None, None, "dev")),
        ("folds", (None, None, None)), (None, (None, None, None)),
    ]  # fmt: skip
    for value, found in cases:
        settings = DataSettings(calibration=value)
        assert (calibration_share(settings), calibration_file(settings), calibration_hub_split(settings)) == found


def test_a_share_is_cut_off_train_alone_and_its_classes_keep_their_shares(own: Path) -> None:
    before, after = split_rows(own), split_rows(own, calibration="0.25")
    assert {name: after[name] for name in ("test", "val")} == {name: before[name] for name in ("test", "val")}
    assert sorted(after["train"] + after[CALIBRATION]) == before["train"] and CALIBRATION not in before
    assert len(after[CALIBRATION]) == round(len(before["train"]) / 4)
    settings = DataSettings(source="files", path=str(own / "train.csv"), calibration="0.25")
    raw = read_rows(settings, SharedCache(own / "cache")).raw
    shares = [np.bincount(raw.splits[name].labels.values).tolist() for name in ("train", CALIBRATION)]
    assert shares[1][0] == pytest.approx((shares[0][0] + shares[1][0]) / 4, abs=1)


def test_folds_are_dealt_after_the_share_is_set_aside(own: Path) -> None:
    folds = [split_rows(own, calibration="0.25", folds=3, fold=str(fold)) for fold in range(3)]
    assert len({tuple(found[CALIBRATION]) for found in folds}) == 1
    assert all(not set(found[CALIBRATION]) & set(found["train"] + found["val"] + found["test"]) for found in folds)


def test_a_file_is_read_with_the_classes_of_train(own: Path, tmp_path: Path) -> None:
    found = split_rows(own, calibration=str(own / "later.csv"))
    assert len(found[CALIBRATION]) == 120 and found["train"] == split_rows(own)["train"]
    other = write(tmp_path / "other.csv", [*rows_of(9, 3), ("a", "ugly")])
    with pytest.raises(DataError, match="the label 'ugly' does not occur in the training rows"):
        split_rows(own, calibration=other)
    with pytest.raises(DataError, match=r"data.calibration=.*latr.csv: no such file; did you mean .*later.csv"):
        split_rows(own, calibration=str(own / "latr.csv"))


def test_a_file_can_calibrate_data_from_elsewhere(own: Path) -> None:
    labels = ("negative", "positive")
    path = write(own / "demo.csv", [(text, labels[text.count("a") % 2]) for text, _ in rows_of(110, 5)])
    rows = read_rows(DataSettings(demo_rows=60, calibration=path), SharedCache(own / "cache"))
    assert len(rows.raw.splits[CALIBRATION]) == 110 and rows.raw.splits[CALIBRATION].labels.values.max() == 1


@pytest.mark.hub
def test_a_split_of_a_hub_dataset_calibrates_with_the_rows_that_it_has(tmp_path: Path) -> None:
    cache, plain = SharedCache(tmp_path), resolve(compose(["data=sib200", "model=ngram"])).data
    settings = replace(plain, select_split=None, calibration="validation")
    before, after = read_rows(plain, cache), read_rows(settings, cache)
    assert before.select == after.select == "val" and after.is_cut and not before.is_cut
    assert after.fingerprints[CALIBRATION] == before.fingerprints["val"] != after.fingerprints["val"]
    assert len(after.raw.splits[CALIBRATION]) == 99 and after.fingerprints["test"] == before.fingerprints["test"]
    with pytest.raises(DataError, match="has no split 'validaton'"):
        read_rows(replace(settings, calibration="validaton"), cache)


def test_rows_that_are_elsewhere_too_are_refused_and_a_few_are_said() -> None:
    settings, rows = DataSettings(calibration="later.csv"), {"train": 900, "val": 90, "test": 90, CALIBRATION: 200}
    assert check_apart(settings, {}, rows) == []
    few = check_apart(settings, {"train+calibration/exact": 2}, rows)
    assert few == ["2 of the 200 rows of data.calibration=later.csv occur in train"]
    with pytest.raises(DataError, match=r"3 of its 200 rows occur in test, .*Try: rows of its own"):
        check_apart(settings, {"test+calibration/exact": 3, "train+calibration/exact": 1}, rows)
    with pytest.raises(DataError, match=r"occur in train, .*data.duplicates=drop, which takes them out of train"):
        check_apart(settings, {"train+calibration/exact": 3}, rows)
    with pytest.raises(DataError, match=r"data.duplicates=group"):
        check_apart(DataSettings(calibration="0.1"), {"train+calibration/exact": 3}, rows)
