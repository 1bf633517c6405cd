"""The reported rows are read alone where they lie apart, and cut as a run cuts them where they do not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from data.errors import DataError
from data.load import read_rows
from data.settings import DataSettings
from data.stores.build_once import SharedCache
from runner.errors import ConfigError
from runner.zero_shot.rows import read_reported


@pytest.fixture
def cache(tmp_path: Path) -> SharedCache:
    return SharedCache(tmp_path / "cache")


def write(folder: Path, rows: list[tuple[str, str]]) -> str:
    path = folder / "rows.csv"
    path.write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in rows), encoding="utf-8")
    return str(path)


def test_a_file_of_reported_rows_needs_no_other(tmp_path: Path, cache: SharedCache) -> None:
    path = write(tmp_path, [("a b", "y"), ("c d", "x"), ("e f", "y")])
    rows = read_reported(DataSettings(name="files", source="files", test_path=path), cache)
    assert rows.name == "test" and rows.texts == ["a b", "c d", "e f"] and rows.pairs is None
    assert rows.task.label_names == ("x", "y") and rows.raw.labels.values.tolist() == [1, 0, 1]


def test_rows_of_one_file_are_those_that_a_run_reports(tmp_path: Path, cache: SharedCache) -> None:
    path = write(tmp_path, [(f"text {i}", "xy"[i % 2]) for i in range(60)])
    settings = DataSettings(name="files", source="files", path=path, max_eval_rows=4)
    found, of_run = read_reported(settings, cache), read_rows(settings, cache)
    assert len(found.texts) == 4 and found.raw.fingerprint() == of_run.fingerprints["test"]


@pytest.mark.parametrize("key", ["train_path", "path"])
def test_classes_and_the_positive_one_are_those_of_the_training_rows(
    tmp_path: Path, cache: SharedCache, key: str
) -> None:
    path, train = write(tmp_path, [("a b", "y"), ("c d", "x"), ("e f", "x")]), tmp_path / "train.csv"
    for labels in ("xyz", "xxxxy"):
        train.write_text("text,label\n" + "".join(f"t {i},{labels[i % len(labels)]}\n" for i in range(60)), "utf-8")
        data = replace(DataSettings(name="files", source="files", test_path=path), **{key: str(train)})
        found, of_run = read_reported(data, cache), read_rows(data, cache)
        assert found.texts == ["a b", "c d", "e f"] and found.raw.fingerprint() == of_run.fingerprints["test"]
        assert found.task.label_names == of_run.task.label_names == tuple(sorted(set(labels)))
        assert found.task.positive == of_run.task.positive


def test_the_training_file_may_be_the_reported_one(tmp_path: Path, cache: SharedCache) -> None:
    path = write(tmp_path, [("a b", "y"), ("c d", "x"), ("e f", "y")])
    rows = read_reported(DataSettings(name="files", source="files", train_path=path, test_path=path), cache)
    assert rows.texts == ["a b", "c d", "e f"] and rows.task.label_names == ("x", "y")


def test_classes_that_a_hub_dataset_does_not_name_are_those_of_its_training_rows(
    tmp_path: Path, cache: SharedCache
) -> None:
    for name, labels in (("train", "xyz" * 20), ("test", "xy" * 5)):
        rows = "".join(f"{name} {i},{label}\n" for i, label in enumerate(labels))
        (tmp_path / f"{name}.csv").write_text("text,label\n" + rows, encoding="utf-8")
    data = DataSettings(name="mine", source="hub", id=str(tmp_path), report_splits={"test": "test"})
    found = read_reported(data, cache)
    assert found.task.label_names == ("x", "y", "z") and found.texts[0] == "test 0" and len(found.texts) == 10


def test_repeats_are_dropped_from_a_file_of_reported_rows_as_in_a_run(tmp_path: Path, cache: SharedCache) -> None:
    path = write(tmp_path, [("a b", "y"), ("A b!", "y"), ("c d", "x")])
    train = tmp_path / "train.csv"
    train.write_text("text,label\n" + "".join(f"text {i},{'xy'[i % 2]}\n" for i in range(40)), encoding="utf-8")
    settings = DataSettings(name="files", source="files", test_path=path, duplicates="drop")
    of_run = read_rows(replace(settings, train_path=str(train)), cache)
    found = read_reported(settings, cache)
    assert found.texts == ["a b", "c d"] and found.raw.fingerprint() == of_run.fingerprints["test"]


def test_rows_without_labels_name_the_cure(tmp_path: Path, cache: SharedCache) -> None:
    path = write(tmp_path, [("a", "-1"), ("b", "-1")])
    with pytest.raises(DataError, match="has no labels, which `test` needs"):
        read_reported(DataSettings(name="files", source="files", test_path=path), cache)


def test_a_file_with_one_class_names_the_cure(tmp_path: Path, cache: SharedCache) -> None:
    path = write(tmp_path, [("a", "music"), ("b", "music")])
    with pytest.raises(ConfigError, match=r"has only the class music, .*Try: data\.train_path="):
        read_reported(DataSettings(name="files", source="files", test_path=path), cache)
