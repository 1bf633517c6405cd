"""Labels mean the same from files and from the hub: classes by value, numbers, or refused with the cure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.errors import DataError
from data.load import load_splits
from data.settings import DataSettings
from data.sources.cells import label_text
from data.sources.choice import read_raw
from data.sources.files import read_files
from data.sources.hub import read_hub
from data.sources.raw import RawData
from data.stores.build_once import SharedCache
from data.targets.choice import column_target
from data.targets.label_column import LabelColumn
from tests.conftest import run_cli

STARS = [1, 2, 3, 4, 5]


def rows_of(labels: list[Any], count: int = 60) -> list[tuple[Any, Any]]:
    return [(f"text number {i}", labels[i % len(labels)]) for i in range(count)]


def write(path: Path, rows: list[tuple[Any, Any]]) -> str:
    if path.suffix == ".csv":
        path.write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in rows), encoding="utf-8")
    else:
        path.write_text("\n".join(json.dumps({"text": t, "label": v}) for t, v in rows), encoding="utf-8")
    return str(path)


class Source:
    """Read the rows as a JSONL file or as a hub dataset."""

    def __init__(self, kind: str, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.kind, self.folder, self.patch = kind, folder, patch

    def read(self, train: list[tuple[Any, Any]], test: list[tuple[Any, Any]] | None = None, **options: Any) -> RawData:
        if self.kind == "files":
            paths = {"train_path": write(self.folder / "train.jsonl", train)}
            paths |= {} if test is None else {"test_path": write(self.folder / "test.jsonl", test)}
            return read_files(DataSettings(source="files", **paths, **options), SharedCache(self.folder / "cache"))
        tables = {"train": train} | ({} if test is None else {"test": test})
        return hub(self.patch, tables, **options)

    def refused(self, *args: Any, **options: Any) -> str:
        with pytest.raises(DataError) as raised:
            self.read(*args, **options)
        assert "\n" not in str(raised.value)
        return str(raised.value)


def hub(patch: pytest.MonkeyPatch, tables: dict[str, Any], features: Any = None, **options: Any) -> RawData:
    from datasets import Dataset

    made = {
        name: Dataset.from_dict({"text": [t for t, _ in rows], "label": [v for _, v in rows]}, features=features)
        for name, rows in tables.items()
    }
    patch.setenv("HF_HUB_OFFLINE", "1")  # nobody is asked whether there is a hub
    patch.setattr("datasets.load_dataset", lambda *_args, split, **_options: made[split])
    return read_hub(
        DataSettings(source="hub", id="some/data", report_splits={n: n for n in tables if n != "train"}, **options)
    )


@pytest.fixture(params=["files", "hub"])
def source(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Source:
    return Source(request.param, tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("values", "names", "first"),
    [
        (STARS, ("1", "2", "3", "4", "5"), [0, 1, 2, 3, 4]),
        ([4, 0], ("0", "4"), [1, 0]),
        ([-1, 1], ("-1", "1"), [0, 1]),
        ([True, False], ("False", "True"), [1, 0]),
        (["10", "9"], ("9", "10"), [1, 0]),
        (["007", "7"], ("007", "7"), [0, 1]),
        (["caf\u00e9", "cafe\u0301", "bar\u200b"], ("bar", "caf\u00e9"), [1, 1, 0]),
        (["1_2", "3_4"], ("1_2", "3_4"), [0, 1]),
    ],
)
def test_classes_are_values_not_ids(
    source: Source, values: list[Any], names: tuple[str, ...], first: list[int]
) -> None:
    data = source.read(rows_of(values))
    assert (data.target.task, data.target.names) == ("classification", names)
    assert data.splits["train"].labels.values[: len(first)].tolist() == first
    assert len(data.notes) == ("007" in names), "of two spellings of a number"


def test_other_numbers_are_regression(source: Source) -> None:
    data = source.read(rows_of([i / 5 for i in range(25)]))
    assert data.target.name == "number" and data.splits["train"].labels.values[:2].tolist() == [
        0.0,
        np.float32(0.2),
    ]
    assert source.read(rows_of([float(i) for i in range(21)], 100)).target.task == "regression", (
        "too many whole ones to ask"
    )
    message = source.refused(rows_of([0.5, 1.5]), label_names=["low", "high"])
    assert "have no names" in message and "data.task=classification" in message


@pytest.mark.parametrize("gap", [None, float("nan")])
def test_a_few_whole_floats_are_asked_about(source: Source, gap: float | None) -> None:
    rows = [*rows_of([1.0, 0.0]), ("a text", gap)]
    message = source.refused(rows, missing="drop")
    assert "Try: data.task=classification, or data.task=regression" in message and "(0.0, 1.0)" in message
    data = source.read(rows, missing="drop", task="classification")
    assert data.target.names == ("0", "1") and data.splits["train"].labels.values[:2].tolist() == [1, 0]
    assert sum(data.dropped.values()) == 1
    assert source.read(rows, missing="drop", task="regression").target.task == "regression"


def test_a_test_split_may_write_the_same_numbers_otherwise(source: Source) -> None:
    data = source.read(rows_of(["0", "1"]), rows_of([1.0, 0.0], 10))
    assert data.splits["test"].labels.values[:2].tolist() == [1, 0]


@pytest.mark.parametrize(
    ("text", "label", "expected"),
    [
        ("a text", ["a", "b"], "a list of labels; one label a row is needed"),
        ("a text", {"name": "a"}, "an object; one label a row is needed"),
        ({"en": "a text"}, "a", "an object; text is needed"),
        (["a", "text"], "a", "a list; text is needed"),
    ],
)
def test_lists_and_objects_are_refused(source: Source, text: Any, label: Any, expected: str) -> None:
    message = source.refused([(text, label)] * 40, task="classification")
    assert expected in message and f"data.{'text' if text != 'a text' else 'label'}=<" in message


def test_words_are_no_numbers_and_too_many_values_no_classes(source: Source) -> None:
    assert "row 1: the label 'neg' is not a number" in source.refused(rows_of(["neg", "pos"]), task="regression")
    assert "data.task=regression" in source.refused(rows_of(list(range(60))))


def test_a_class_that_train_lacks_is_refused_and_never_dropped(source: Source) -> None:
    train, test = rows_of(["b", "a"]), [*rows_of(["a"], 5), ("text", "c")]
    assert "the label 'c' does not occur in the training rows (labels: a, b)" in source.refused(train, test)
    assert "'c'" in source.refused(train, test, unlabelled="drop")


@pytest.mark.parametrize("labels", [[-1], ["-1"], [-1.0]])
def test_a_test_split_without_any_label_is_no_test_split(source: Source, labels: list[Any]) -> None:
    for unlabelled in ("refuse", "drop"):
        message = source.refused(rows_of([0, 1]), rows_of(labels, 10), unlabelled=unlabelled)
        assert "has no labels" in message
        assert ("run predict" if source.kind == "files" else "data.split=train") in message
    assert "has no labels" in source.refused(rows_of([0.5, 1.5]), rows_of(labels, 10))


def test_a_test_file_without_the_column_or_with_an_empty_one_has_no_labels(tmp_path: Path) -> None:
    train, test = write(tmp_path / "a.csv", rows_of([0, 1])), tmp_path / "b.csv"
    for content in ("text\na\nb\n", "text,label\na,\nb,\n"):
        test.write_text(content)
        with pytest.raises(DataError, match=r"b\.csv has no labels.*run predict"):
            read_files(DataSettings(source="files", train_path=train, test_path=str(test)), SharedCache(tmp_path))


def test_some_rows_without_a_label_are_refused_or_dropped(source: Source) -> None:
    train, test = rows_of([0, 1]), [*rows_of([1, 0], 8), ("text", -1), ("text", -1)]
    message = source.refused(train, test)
    assert "2 of 10 rows have no gold label (-1; rows 9, 10). Try: data.unlabelled=drop" in message
    data = source.read(train, test, unlabelled="drop")
    assert data.splits["test"].labels.values.tolist() == [1, 0] * 4 and data.dropped == {"test: no gold label": 2}


def test_minus_one_in_training_rows_is_a_class_unless_it_is_to_be_dropped(source: Source) -> None:
    data = source.read(rows_of([-1, 0, 1]))
    assert data.target.names == ("-1", "0", "1") and "data.unlabelled=drop" in data.notes[0]
    data = source.read(rows_of([-1, 0, 1]), unlabelled="drop")
    assert data.target.names == ("0", "1") and data.splits["train"].labels.values[:2].tolist() == [0, 1]
    named = {"-1": "bad", "0": "so-so", "1": "good"}
    data = source.read(rows_of([-1, 0, 1]), unlabelled="drop", label_names=named)
    assert data.target.names == ("bad", "so-so", "good") and not data.dropped


def test_words_that_say_there_is_no_label_are_classes_with_a_note(tmp_path: Path) -> None:
    settings = DataSettings(source="files", path=write(tmp_path / "d.csv", rows_of(["nan", "pos", "neg"])))
    data = read_files(settings, SharedCache(tmp_path))
    assert data.target.names == ("nan", "neg", "pos") and "leave it empty" in data.notes[0]


def test_nan_among_numbers_is_a_missing_label(tmp_path: Path) -> None:
    path = write(tmp_path / "d.csv", [*rows_of([0, 1]), ("text", "nan")])
    with pytest.raises(DataError, match=r"1 of 61 rows have no gold label \(nan; rows 62\).*data\.missing=drop"):
        read_files(DataSettings(source="files", path=path), SharedCache(tmp_path))
    assert read_files(DataSettings(source="files", path=path, missing="drop"), SharedCache(tmp_path)).target.names == (
        "0",
        "1",
    )


def test_the_classes_of_a_hub_dataset_keep_their_ids_and_names(monkeypatch: pytest.MonkeyPatch) -> None:
    from datasets import ClassLabel, Features, Value

    features = Features({"text": Value("string"), "label": ClassLabel(names=["pos", "neg", "unused"])})
    rows = [*rows_of([0, 1]), ("text", -1), ("text", None)]
    with pytest.raises(DataError, match=r"2 of 62 rows have no gold label \(-1, empty; rows 61, 62\).*unlabelled=drop"):
        hub(monkeypatch, {"train": rows}, features)
    data = hub(monkeypatch, {"train": rows}, features, unlabelled="drop")
    assert data.target.names == ("pos", "neg", "unused") and data.splits["train"].labels.values[:2].tolist() == [0, 1]
    assert data.dropped == {"train: no gold label": 2} and len(data.splits["train"]) == 60
    data = hub(monkeypatch, {"train": rows}, features, unlabelled="drop", label_names=["neg", "unused", "pos"])
    assert data.splits["train"].labels.values[:2].tolist() == [2, 0], "names are values, whatever their order"
    by_id = {"0": "good", "1": "bad", "unused": "none"}
    data = hub(monkeypatch, {"train": rows}, features, unlabelled="drop", label_names=by_id)
    assert data.target.names == ("good", "bad", "none") and data.splits["train"].labels.values[:2].tolist() == [0, 1]
    assert hub(monkeypatch, {"train": rows_of([0, 1, 2])}, features, task="regression").target.task == "regression"


def test_texts_of_the_hub_are_there_and_are_text(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [("", 0), (None, 1), ("  ", 0), *rows_of([0, 1])]
    with pytest.raises(DataError, match=r"3 of 63 rows have an empty or missing text \(first: row 1\).*missing=drop"):
        hub(monkeypatch, {"train": rows})
    data = hub(monkeypatch, {"train": rows}, missing="drop")
    assert data.dropped == {"train: missing text": 3} and next(data.splits["train"].texts()) == "text number 0"
    with pytest.raises(DataError, match="no row with a text"):
        hub(monkeypatch, {"train": rows[:3]}, missing="drop")
    with pytest.raises(DataError, match=r"the column 'text' holds int64, not text. Try: data\.text=label"):
        hub(monkeypatch, {"train": [(i, "ab"[i % 2]) for i in range(40)]})


def test_a_loading_script_is_never_run_and_the_way_round_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "scripted"
    folder.mkdir()
    (folder / "scripted.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(DataError, match=r"is a loading script.*never run.*data=files data\.train_path"):
        read_hub(DataSettings(source="hub", id=str(folder)))
    assert not (tmp_path / "ran").exists()


def test_the_built_in_data_takes_names_too(tmp_path: Path) -> None:
    made = read_raw(DataSettings(demo_rows=40, label_names=["positive", "negative"]), SharedCache(tmp_path))
    plain = read_raw(DataSettings(demo_rows=40), SharedCache(tmp_path))
    assert made.target.names == plain.target.names[::-1]
    assert (made.splits["train"].labels.values == 1 - plain.splits["train"].labels.values).all()


def test_the_mapping_and_what_was_left_out_are_printed(tmp_path: Path) -> None:
    path = write(tmp_path / "d.csv", [*rows_of([0, 1]), ("", 1), ("text", "")])
    settings = DataSettings(source="files", path=path, missing="drop", label_names=["neg", "pos"])
    notes = load_splits(settings, tokenizer="train", vocab_size=300, cache=tmp_path).notes
    assert "classes by data.label_names: 0 is neg, 1 is pos" in notes
    assert "rows left out: 2 (train: missing text or label)" in notes


def test_a_column_of_empty_labels_is_no_training_data() -> None:
    column = LabelColumn()
    column.add(label_text(None, "row 1"), 1)
    with pytest.raises(DataError, match=r"no labels, which `train` needs. Try: data\.label="):
        column_target(DataSettings(source="files"), column, "d.csv")


def test_a_refused_label_ends_the_command_with_one_line(tmp_path: Path) -> None:
    done = run_cli(
        "data=files", f"data.path={write(tmp_path / 'd.csv', rows_of(['0.0', '1.0']))}", "model=dsn", cwd=tmp_path
    )
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "data.task=classification, or data.task=regression" in done.stderr
