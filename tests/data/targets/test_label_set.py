"""Sets of labels from lists, from texts with a separator and from the hub; what is refused, and what is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from data.errors import DataError
from data.settings import DataSettings
from data.sources.choice import read_raw
from data.sources.hub import read_hub
from data.sources.raw import RawData
from data.splitting import apply_split_rule
from data.stores.build_once import SharedCache

SETS = [["old", "good"], [], ["old"], ["good"]] * 10


def written(path: Path, labels: list[Any]) -> str:
    rows = [{"text": f"text number {number}", "label": one} for number, one in enumerate(labels)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def read(folder: Path, labels: list[Any], test: list[Any] | None = None, **options: Any) -> RawData:
    paths = {"train_path": written(folder / "train.jsonl", labels)}
    paths |= {} if test is None else {"test_path": written(folder / "test.jsonl", test)}
    raw = read_raw(DataSettings(source="files", **paths, **options), SharedCache(folder / "cache"))
    raw.target.check({name: split.labels for name, split in raw.splits.items()}, "train.jsonl")
    return raw


def refused(folder: Path, *args: Any, **options: Any) -> str:
    with pytest.raises(DataError) as raised:
        read(folder, *args, **options)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_a_column_of_lists_is_read_as_sets_which_is_said(tmp_path: Path) -> None:
    raw = read(tmp_path, SETS)
    labels = raw.splits["train"].labels.values
    assert raw.target.name == "label_set" and raw.target.names == ("good", "old")
    assert labels.dtype == "int8" and labels[:4].tolist() == [[1, 1], [0, 0], [0, 1], [1, 0]]
    assert any("holds lists" in note for note in raw.notes)
    assert any("train: 10 of 40 rows have no label" in note for note in raw.notes)


@pytest.mark.parametrize("marks", [(0, 1), (0.0, 1.0), (False, True)])
def test_vectors_of_marks_are_no_lists_of_labels(marks: tuple[Any, Any], tmp_path: Path) -> None:
    vectors = [[marks[0], marks[1], marks[1]], [marks[0], marks[0], marks[1]]] * 20
    message = refused(tmp_path, vectors)
    assert "row 1 holds [" in message and "such a list of 3 marks" in message and "data.labels=[" in message
    assert "such a list of 3 marks" in refused(tmp_path, list(map(str, vectors)))
    assert read(tmp_path, [[0], [1], [0, 1], []] * 10).target.names == ("0", "1"), "ids of labels"


def test_texts_with_a_separator_are_sets_and_an_empty_one_has_no_label(tmp_path: Path) -> None:
    raw = read(tmp_path, ["old;good", "", "old ; ", "good"] * 10, label_separator=";")
    assert raw.splits["train"].labels.values[:4].tolist() == [[1, 1], [0, 0], [0, 1], [1, 0]]


def test_a_text_of_several_labels_without_a_separator_is_refused_with_the_separator(tmp_path: Path) -> None:
    said = refused(tmp_path, ["old|good", "old", "good"] * 10, task="multilabel")
    assert "'old|good' in the column 'label' seems to be several labels" in said
    assert "'data.label_separator=\"|\"'" in said and "task=classification if it is one" in said


def test_a_class_that_looks_like_several_labels_is_said(tmp_path: Path) -> None:
    notes = read(tmp_path, ["old, new", "old", "new"] * 10).notes
    assert "if 'old, new' is several labels: 'data.label_separator=\",\"'" in notes
    many = [f"{first};{second}" for first in range(6) for second in range(6, 12)]
    assert "or if '0;6' is several labels: 'data.label_separator=\";\"'" in refused(tmp_path, many)


def test_single_labels_are_sets_on_request_and_a_hint_says_what_would_do(tmp_path: Path) -> None:
    raw = read(tmp_path, ["b", "a"] * 10, task="multilabel")
    assert raw.splits["train"].labels.values[:2].tolist() == [[0, 1], [1, 0]]
    assert any("exactly one label" in note for note in raw.notes)


def test_a_label_that_is_repeated_in_a_row_counts_once_which_is_said(tmp_path: Path) -> None:
    raw = read(tmp_path, [["a", "a"], ["b", "a"]] * 5)
    assert raw.splits["train"].labels.values[0].tolist() == [1, 0]
    assert any("train: 5 rows have a label more than once" in note for note in raw.notes)


def test_rows_without_labels_are_dropped_on_request(tmp_path: Path) -> None:
    raw = read(tmp_path, SETS, empty="drop")
    assert len(raw.splits["train"]) == 30 and raw.splits["train"].labels.values.any(axis=1).all()


def test_labels_that_only_the_test_has_are_refused_with_their_rows(tmp_path: Path) -> None:
    message = refused(tmp_path, SETS, [["old"], ["odd", "new"], ["odd"]])
    assert "'odd' in 2 (first: row 2)" in message and "'new' in 1 (first: row 2)" in message


def test_one_label_is_no_set(tmp_path: Path) -> None:
    assert "Try: data.task=classification" in refused(tmp_path, [["a"], []] * 5)


def test_rows_whose_label_is_missing_are_refused_unless_they_are_dropped(tmp_path: Path) -> None:
    labels = [["a"], ["b"], None, ["a", "b"]] * 5
    assert "data.missing=drop" in refused(tmp_path, labels)
    assert len(read(tmp_path, labels, missing="drop").splits["train"]) == 15


def test_numbers_are_ordered_by_value_and_names_are_given_to_them(tmp_path: Path) -> None:
    raw = read(tmp_path, [[10], [2], [2, 10]] * 4, label_names={"2": "two", "10": "ten"})
    assert raw.target.names == ("two", "ten") and raw.splits["train"].labels.values[0].tolist() == [0, 1]


def test_a_cut_keeps_the_share_of_every_label(tmp_path: Path) -> None:
    raw = read(tmp_path, SETS * 5)
    settings = DataSettings(source="files", path="train.jsonl")
    assert apply_split_rule(raw, settings) == ("val", ["test"])
    counts = {name: split.labels.values.sum(0).tolist() for name, split in raw.splits.items()}
    assert counts == {"train": [81, 81], "val": [9, 9], "test": [10, 10]}


def hub(patch: pytest.MonkeyPatch, labels: list[list[int]], **options: Any) -> RawData:
    from datasets import ClassLabel, Dataset, Features, List, Value

    features = Features({"text": Value("string"), "label": List(ClassLabel(names=["joy", "fear", "grief"]))})
    rows = {"text": [f"text {number}" for number in range(len(labels))], "label": labels}
    made = Dataset.from_dict(rows, features=features)
    patch.setenv("HF_HUB_OFFLINE", "1")
    patch.setattr("datasets.load_dataset", lambda *_args, **_options: made)
    raw = read_hub(DataSettings(source="hub", id="some/data", split="train", **options))
    raw.target.check({"train": raw.splits["train"].labels}, "some/data")
    return raw


def test_lists_of_class_ids_keep_the_names_and_the_order_of_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = hub(monkeypatch, [[2], [0, 1], []] * 4)
    assert raw.target.names == ("joy", "fear", "grief")
    assert raw.splits["train"].labels.values[:3].tolist() == [[0, 0, 1], [1, 1, 0], [0, 0, 0]]


def test_rows_that_are_dropped_are_not_counted_as_rows_without_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    lists: Any = [[2], [0, 1], [], None] * 4
    raw = hub(monkeypatch, lists, missing="drop")
    assert raw.dropped == {"train: no gold label": 4} and len(raw.splits["train"]) == 12
    assert any("train: 4 of 12 rows have no label" in note for note in raw.notes)


def test_a_declared_label_without_a_training_row_is_refused_unless_it_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match=r"no training row has 'grief'.*Try: data\.rare=keep"):
        hub(monkeypatch, [[1], [0, 1]] * 4)
    assert hub(monkeypatch, [[1], [0, 1]] * 4, rare="keep").target.names == ("joy", "fear", "grief")
