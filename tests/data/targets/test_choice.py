"""The choice of a target: lists of labels reach one that reads them, whatever the source, and no other."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.errors import DataError
from data.labels import Labels
from data.settings import DataSettings
from data.sources.choice import read_raw
from data.stores.build_once import SharedCache
from data.targets.base import ColumnTarget
from data.targets.choice import TARGETS, column_target
from data.targets.label_column import LabelColumn
from tests.data.helpers import column_of

SETS = [["old", "good"], [], ["old"], ["good"]] * 10


class Sets(ColumnTarget):
    """A set of labels for each row."""

    name = "sets"
    task = "sets"
    reads_lists = True

    @classmethod
    def reads(cls, settings: DataSettings, column: LabelColumn) -> bool:
        return bool(column.lists)

    @classmethod
    def of(cls, settings: DataSettings, column: LabelColumn, where: str) -> Sets:
        return cls(tuple(sorted({label for labels in column.lists.values() for label in labels})))

    def read(self, column: LabelColumn, settings: DataSettings, name: str, where: str) -> tuple[Labels, np.ndarray]:
        has = [[label in column.lists[value] for label in self.names] for value in column.distinct]
        codes = np.asarray(column.codes)
        return Labels(np.array(has, np.float32)[codes]), np.arange(len(codes))


def written(path: Path, labels: list[list[str]]) -> str:
    rows = [{"text": f"text number {number}", "label": one} for number, one in enumerate(labels)]
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.parquet"])
def test_lists_of_labels_reach_a_target_that_reads_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr("data.targets.choice.TARGETS", {Sets.name: Sets, **TARGETS})
    settings = DataSettings(source="files", path=written(tmp_path / name, SETS))
    raw = read_raw(settings, SharedCache(tmp_path))
    assert raw.target.names == ("good", "old")
    assert raw.splits["train"].labels.values[:4].tolist() == [[1, 1], [0, 0], [0, 1], [1, 0]]


def test_lists_in_another_split_are_refused_by_a_target_of_single_labels(tmp_path: Path) -> None:
    train = tmp_path / "train.csv"
    train.write_text("text,label\n" + "a text,good\nb text,old\n" * 20, encoding="utf-8")
    test = written(tmp_path / "test.jsonl", [["old", "good"]] * 3)
    settings = DataSettings(source="files", train_path=str(train), test_path=test)
    with pytest.raises(DataError, match=r"test.jsonl row 1 holds \['old', 'good'\], a list of labels"):
        read_raw(settings, SharedCache(tmp_path))


def test_a_text_that_looks_like_a_list_is_a_class() -> None:
    column = column_of(["b", '["a"]'] * 5)
    assert column_target(DataSettings(), column, "d.csv").names == ('["a"]', "b")
