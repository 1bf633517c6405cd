"""Texts that occur more than once are counted, and dropped, kept together or refused where that is wished."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data import duplicates
from data.duplicates import accuracy_ceiling, rows_found
from data.errors import DataError
from data.labels import Labels
from data.load import load_splits
from data.settings import DataSettings
from data.sources.raw import RawData, RawSplit
from data.splits import Splits
from data.stores.build_once import SharedCache
from data.targets.class_label import ClassLabel
from data.unlabelled import load_unlabelled

DIFFERENT = [(f"the film number {i} is {'good' if i % 2 else 'bad'}", i % 2) for i in range(60)]


def write(path: Path, rows: list[tuple[str, Any]], **more: list[Any]) -> Path:
    pq.write_table(pa.table({"text": [text for text, _ in rows], "label": [label for _, label in rows], **more}), path)
    return path


def read(train: Path, test: Path | None = None, **options: Any) -> Splits:
    where = {"train_path": str(train), "test_path": str(test)} if test else {"path": str(train)}
    settings = DataSettings(**({"source": "files", **where} | options))
    return load_splits(settings, tokenizer="train", vocab_size=300, cache=train.parent / "cache")


def split_of(texts: list[str], labels: list[float], pairs: list[str] | None = None) -> RawSplit:
    table = pa.table({"text": texts} | ({"text_pair": pairs} if pairs else {}))
    rows = np.arange(len(texts))
    return RawSplit(table, Labels(np.array(labels)), rows, rows + 1)


def counted(tmp_path: Path, **splits: RawSplit) -> dict[str, int]:
    found = duplicates.cached_counts(
        splits, {name: split.fingerprint() for name, split in splits.items()}, SharedCache(tmp_path)
    )
    return {key: rows for key, rows in found.items() if rows}


def test_repeats_are_counted_within_and_between_splits(tmp_path: Path) -> None:
    train = split_of(["A film.", "A film.", "a  film", "another", "third"], [0, 0, 1, 1, 0])
    test = split_of(["Third!", "another", "new", "A FILM?"], [0, 0, 1, 1])
    assert counted(tmp_path, train=train, test=test) == {
        "train/exact": 1, "train/normalised": 2, "train/contradicting": 3,
        "train+test/exact": 1, "train+test/normalised": 3, "train+test/contradicting": 2,
    }  # fmt: skip


def test_splits_without_repeats_count_none(tmp_path: Path) -> None:
    parts = {name: split_of([f"{name} {i}" for i in range(3)], [0, 1, 0]) for name in ("train", "val", "test")}
    parts["test"] = split_of(["val 1", "val 1"], [1, 1])  # train repeats nothing
    assert counted(tmp_path, **parts) == {
        "test/exact": 1, "test/normalised": 1, "val+test/exact": 2, "val+test/normalised": 2,
    }  # fmt: skip


def test_of_pairs_both_texts_must_repeat(tmp_path: Path) -> None:
    train = split_of(["a", "a", "a", "ab"], [0, 1, 0, 0], ["b", "c", "B.", "c"])
    assert counted(tmp_path, train=train) == {"train/normalised": 1}


def test_numbers_contradict_where_they_differ(tmp_path: Path) -> None:
    train = split_of(["a", "a", "b", "b"], [0.0, -0.0, 1.5, 1.25])
    assert counted(tmp_path, train=train) == {"train/exact": 2, "train/normalised": 2, "train/contradicting": 2}


@pytest.mark.parametrize(
    ("one", "other", "is_equal"),
    [
        ("Ein Ärger!", "ein ärger", True),
        ("«très bien»\u00a0…", "très\u2003bien", True),
        ("don't", "don\u2019t", True),
        ("两个。字", "两个字", True),
        (":)", ":(", False),
        ("a + b", "a < b", False),
        ("…", "。", False),
    ],
)
def test_case_white_space_and_punctuation_make_no_difference(
    one: str, other: str, is_equal: bool, tmp_path: Path
) -> None:
    assert bool(counted(tmp_path, train=split_of([one, other], [0, 0]))) == is_equal


def test_a_second_run_counts_nothing_and_damage_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(tmp_path / "d.parquet", DIFFERENT * 2)
    first = read(file).duplicates
    (kept,) = (tmp_path / "cache" / "duplicates").glob("*/counts.json")
    with monkeypatch.context() as patched:
        patched.setattr(duplicates, "_hash", lambda *_: pytest.fail("hashed twice"))
        assert read(file).duplicates == first
    kept.write_text(kept.read_text().replace("1", "7", 1))
    assert read(file).duplicates == first


def test_many_repeats_are_said_in_one_line(tmp_path: Path) -> None:
    (note,) = read(write(tmp_path / "d.parquet", DIFFERENT * 3)).notes
    assert "of 18 texts of test occur in train" in note and "Try: data.duplicates=drop" in note
    assert read(write(tmp_path / "e.parquet", DIFFERENT)).notes == []


def test_no_setting_is_advised_for_texts_that_two_held_out_files_have_in_common(tmp_path: Path) -> None:
    train, test = write(tmp_path / "train.parquet", DIFFERENT[:40]), write(tmp_path / "test.parquet", DIFFERENT[40:])
    (note,) = read(train, test, val_path=str(test)).notes
    assert note == "20 of 20 texts of test occur in val", "data.duplicates=drop would leave them there"
    assert not read(train, test, val_path=str(test), duplicates="drop").dropped
    (note,) = read(train, train, val_path=str(test)).notes
    assert note.endswith("texts of test occur in train. Try: data.duplicates=drop")
    splits = read(write(tmp_path / "twice.parquet", DIFFERENT[:40] * 2), val_path=str(test))
    assert splits.notes[0].endswith("Try: data.duplicates=drop"), "test is cut off train"


def test_drop_keeps_the_first_row_and_takes_held_out_texts_from_train(tmp_path: Path) -> None:
    rows = [*DIFFERENT, ("The film number 7 is good!", 1), ("the film number 8 is bad", 1)]
    test = write(tmp_path / "test.parquet", [*DIFFERENT[:10], *DIFFERENT[:2]])
    splits = read(write(tmp_path / "train.parquet", rows), test, duplicates="drop")
    assert [len(part) for part in (splits.train, splits.select, *splits.report)] == [45, 5, 10]
    assert splits.dropped == {
        "train: repeats an earlier text": 1,
        "train: repeats an earlier text with another label": 1,
        "test: repeats an earlier text": 2,
        "train: text of another split": 10,
    }
    assert not any(splits.duplicates.values()) and "left out 1 row (train: repeats" in splits.notes[0]


def test_drop_that_leaves_nothing_to_train_on_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path / "d.parquet", DIFFERENT)
    with pytest.raises(DataError, match=r"all 60 different texts of train occur in test\. Try: data.duplicates=keep"):
        read(file, file, duplicates="drop")


def test_refuse_says_how_many_and_which_rows(tmp_path: Path) -> None:
    train = write(tmp_path / "train.parquet", [*DIFFERENT, DIFFERENT[3]])
    test = write(tmp_path / "test.parquet", [("new", 0), ("newer", 1), DIFFERENT[3]])
    with pytest.raises(DataError) as raised:
        read(train, test, duplicates="refuse")
    assert "1 row of test occurs in train (rows 3 = " in str(raised.value) and "\n" not in str(raised.value)
    assert read(write(tmp_path / "d.parquet", DIFFERENT), duplicates="refuse").duplicates["train/exact"] == 0


def texts_of(splits: Splits) -> list[set[int]]:
    """Source rows, modulo the 60 different texts, of each split."""
    parts = (splits.train, splits.select, *splits.report)
    return [set(((np.asarray(part.source_rows) - 1) % 60).tolist()) for part in parts]


def test_equal_texts_stay_in_one_split_and_classes_keep_their_shares(tmp_path: Path) -> None:
    splits = read(write(tmp_path / "d.parquet", DIFFERENT * 5), duplicates="group")
    train, select, report = texts_of(splits)
    assert not (train & select or train & report or select & report) and len(train | select | report) == 60
    assert np.bincount(splits.report[0].labels.values).tolist() == [15, 15]
    assert [splits.duplicates[f"{pair}/normalised"] for pair in ("train+val", "train+test", "val+test")] == [0, 0, 0]


@pytest.mark.parametrize("values", [[f"user {i // 5}" for i in range(60)], [i // 5 for i in range(60)]])
def test_rows_of_equal_group_stay_in_one_split(values: list[Any], tmp_path: Path) -> None:
    splits = read(write(tmp_path / "d.parquet", DIFFERENT, user=values), group="user")
    users = [{row // 5 for row in rows} for rows in texts_of(splits)]
    assert sum(map(len, users)) == len(set.union(*users)) == 12
    assert all(set(np.unique(part.labels.values)) == {0, 1} for part in (splits.train, splits.select, *splits.report))


def test_groups_and_equal_texts_hold_together(tmp_path: Path) -> None:
    file = write(tmp_path / "d.parquet", DIFFERENT * 2, user=[i // 2 for i in range(120)])
    train, select, report = texts_of(read(file, group="user", duplicates="group"))
    assert not (train & select or train & report or select & report)
    assert {i ^ 1 for i in report} == report, "rows 2i and 2i + 1 are of one user"


def test_groups_that_cannot_be_cut_are_refused(tmp_path: Path) -> None:
    file = write(tmp_path / "d.parquet", DIFFERENT, user=["one"] * 60)
    with pytest.raises(DataError, match="`test` cannot be cut off train"):
        read(file, group="user")
    with pytest.raises(DataError, match=r"data\.group='author' is not in d\.parquet .*Try: data\.group=user"):
        read(file, group="author")
    with pytest.raises(DataError, match="no such column"):
        load_splits(DataSettings(group="author"), tokenizer="train", vocab_size=300, cache=tmp_path)


def test_groups_without_a_cut_are_said_to_change_nothing(tmp_path: Path) -> None:
    file = write(tmp_path / "d.parquet", DIFFERENT, user=[i // 5 for i in range(60)])
    splits = read(file, file, val_path=str(file), group="user")
    assert splits.notes[0] == "data.group=user changes nothing here: no split is cut off train"


def test_rows_without_a_group_are_missing_something(tmp_path: Path) -> None:
    file = write(tmp_path / "d.parquet", DIFFERENT, user=[None, *["a", "b"] * 29, "c"])
    with pytest.raises(DataError, match=r"1 row has an empty or missing"):
        read(file, group="user")


def test_unlabelled_texts_that_are_reported_are_counted(tmp_path: Path) -> None:
    splits = read(write(tmp_path / "train.parquet", DIFFERENT), write(tmp_path / "test.parquet", DIFFERENT[:9]))
    more = write(tmp_path / "more.parquet", [*DIFFERENT[:4], ("new", 0)])
    settings = DataSettings(source="files", path=str(more), group="user")
    found = load_unlabelled(settings, splits.tokenizer, rows=None, cache=tmp_path, reported=splits.text_hashes)
    assert found.reported == {"test": 4}


def test_rows_of_words_repeat_as_texts_do_and_their_labels_are_compared_as_a_whole(tmp_path: Path) -> None:
    words = [["A", "film"], ["a", "film", "."], ["a", "film"], ["third"]]
    labels = Labels(np.array([0, 1, 0, 1, 2, 0, 1, 1]), np.cumsum([0, 2, 3, 2, 1]))
    train = RawSplit(pa.table({"words": words}), labels, np.arange(4), np.arange(1, 5))
    found = {"train/normalised": 2, "train/contradicting": 3}  # the second row has one label more
    assert counted(tmp_path, train=train) == found
    data = RawData(ClassLabel(("a", "b", "c")), {"train": train})
    duplicates.drop_repeats(data, SharedCache(tmp_path))
    assert data.dropped == {"train: repeats an earlier text": 1, "train: repeats an earlier text with another label": 1}
    assert data.splits["train"].labels.values.tolist() == [0, 1, 1]


def test_rows_found_among_others_name_the_first_row_there() -> None:
    rows, first = rows_found(np.array([7, 5, 9, 5]), np.array([1, 5, 7, 5]))
    assert rows.tolist() == [0, 1, 3] and first.tolist() == [2, 1, 1]


def test_contradicting_labels_put_a_ceiling_on_the_accuracy() -> None:
    texts = np.array([1, 1, 1, 2, 2, 3], np.uint64)
    labels = np.array([0, 0, 1, 0, 1, 1], np.uint64)
    assert accuracy_ceiling(texts, labels) == pytest.approx((2 + 1 + 1) / 6)
    assert accuracy_ceiling(texts[:0], labels[:0]) == 1.0
