"""Reported rows in other languages are the same items, or refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from data import parallel
from data.errors import DataError
from data.labels import Labels
from data.parallel import add_parallel, parallel_name
from data.settings import DataSettings
from data.sources.raw import RawData, RawSplit
from data.targets.class_label import ClassLabel
from data.targets.number import Number

SETTINGS = DataSettings(
    name="x", source="hub", id="a/b", config="en", group="premise", report=["tr"], report_splits={"test": "held_out"}
)


def raw(language: str, labels: list[int], names: tuple[str, ...] = ("no", "yes"), first: int = 1) -> RawSplit:
    rows = np.arange(len(labels))
    texts = pa.table({"text": [f"{language} {row}" for row in rows]})
    return RawSplit(texts, Labels(np.array(labels, np.int64)), rows, rows + first)


def own() -> RawData:
    """The rows 2 and 4 of four in English, reported as `test`."""
    return RawData(ClassLabel(("no", "yes")), {"test": raw("en", [0, 1, 1, 0]).take(np.array([1, 3]))})


def other(monkeypatch: pytest.MonkeyPatch, split: RawSplit, names: tuple[str, ...] = ("no", "yes")) -> list[Any]:
    asked: list[Any] = []

    def read(settings: DataSettings, target: str) -> RawData:
        asked.append(settings)
        return RawData(ClassLabel(names), {"train": split})

    monkeypatch.setattr(parallel, "read_hub", read)
    return asked


def test_the_same_rows_are_reported_in_the_other_language(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, data = other(monkeypatch, raw("tr", [1, 0, 0, 1]), ("yes", "no")), own()
    assert add_parallel(data, SETTINGS, "test") == ["test_tr"]
    found = data.splits["test_tr"]
    assert list(found.texts()) == ["tr 1", "tr 3"], "those that were cut off in English"
    assert found.labels.values.tolist() == [1, 0], "the classes are matched by name, whatever their order"
    assert (asked[0].config, asked[0].train_split, asked[0].group) == ("tr", "held_out", None)


@pytest.mark.parametrize(
    ("split", "names", "message"),
    [
        (raw("tr", [0, 1]), ("no", "yes"), "lacks 1 of the 2 rows of test"),
        (raw("tr", [0, 1, 1, 0], first=9), ("no", "yes"), "lacks 2 of the 2 rows of test"),
        (raw("tr", [0, 0, 1, 0]), ("no", "yes"), r"1 of 2 rows have a different label.*first: row 2\)"),
        (raw("tr", [0, 1, 1, 0]), ("no", "maybe"), r"has classes that the training rows lack \(maybe\)"),
    ],
)
def test_rows_that_are_no_translations_are_refused(
    monkeypatch: pytest.MonkeyPatch, split: RawSplit, names: tuple[str, ...], message: str
) -> None:
    other(monkeypatch, split, names)
    with pytest.raises(DataError, match=message):
        add_parallel(own(), SETTINGS, "test")


def test_numbers_and_tags_have_no_paired_rows() -> None:
    data = RawData(Number(), {"test": raw("en", [1])})
    with pytest.raises(DataError, match=r"data.report=\[tr\]: needs classes of texts"):
        add_parallel(data, SETTINGS, "test")


@pytest.mark.parametrize("split", [None, "held_out"])
def test_folds_of_a_column_are_not_reported_in_other_languages(
    monkeypatch: pytest.MonkeyPatch, split: str | None
) -> None:
    asked = other(monkeypatch, raw("tr", [0, 1, 1, 0]))
    settings = replace(SETTINGS, report_splits={}, split=split, fold_column="fold", fold="1")
    with pytest.raises(DataError, match=r"data.report=\[tr\] data.fold_column=fold: .* Try: 'data.report=\[\]'"):
        add_parallel(own(), settings, "test")
    assert not asked, "nothing is read"


def test_names_of_configs_become_names_of_splits() -> None:
    assert parallel_name("test", "zh-Hans") == "test_zh_Hans"
