"""The stored answers: which columns they have, and that damaged ones count as none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from data.splits import TokenSplit
from runner.record.predictions import read_predictions, write_predictions
from tests.data.helpers import split_of
from tests.records import a_record, record_json


def split(rows: int) -> TokenSplit:
    return split_of([[0]] * rows, np.arange(rows) % 2, name="test")


def test_rows_that_no_file_has_are_not_numbered(tmp_path: Path) -> None:
    path = write_predictions(tmp_path, split(2), {"label": np.zeros(2), "prediction": np.ones(2)})
    assert path.name == "predictions-test.parquet"
    assert pq.read_table(path).to_pydict() == {"row": [0, 1], "label": [0.0, 0.0], "prediction": [1.0, 1.0]}


def test_classes_are_named_in_the_words_of_the_data(tmp_path: Path) -> None:
    answers = {"label": np.array([0, 1, 0]), "prediction": np.array([1, 1, 0])}
    table = pq.read_table(write_predictions(tmp_path, split(3), answers, ("no", "yes"))).to_pydict()
    assert table["label_name"] == ["no", "yes", "no"] and table["prediction_name"] == ["yes", "yes", "no"]


def test_what_is_written_is_read_back_with_the_classes_of_the_record(tmp_path: Path) -> None:
    answers = {"label": np.array([0, 1, 0]), "prediction": np.array([1, 1, 0]), "logit_0": np.zeros(3)}
    write_predictions(tmp_path, split(3), answers, ("no", "yes"))
    record = a_record(data=record_json()["data"] | {"labels": ["no", "yes"], "positive": "no"})
    found = read_predictions(tmp_path, "test", record)
    assert found is not None and (found.positive, found.names, found.offsets) == (0, ("no", "yes"), None)
    assert {name: column.tolist() for name, column in found.columns.items()} == {
        "label": [0, 1, 0], "prediction": [1, 1, 0],
    }  # fmt: skip
    assert read_predictions(tmp_path, "val", record) is None


def test_several_items_of_a_row_are_a_list_and_come_back_in_their_groups(tmp_path: Path) -> None:
    answers = {"label": np.array([0, 1, 1]), "prediction": np.array([0, 0, 1])}
    path = write_predictions(tmp_path, split(3), answers, ("O", "B-X"), np.array([0, 2, 2, 3]))
    stored = pq.read_table(path).to_pydict()
    assert stored["row"] == [0, 1, 2] and stored["label_name"] == [["O", "B-X"], [], ["B-X"]]
    found = read_predictions(tmp_path, "test", a_record())
    assert found is not None and found.offsets is not None and found.offsets.tolist() == [0, 2, 2, 3]
    assert found["prediction"].tolist() == [0, 0, 1] and len(found) == 3


def test_a_damaged_file_and_an_unknown_task_have_no_answers(tmp_path: Path) -> None:
    path = write_predictions(tmp_path, split(2), {"label": np.zeros(2), "prediction": np.ones(2)})
    later = a_record(data=record_json()["data"] | {"task": "poetry"})
    assert read_predictions(tmp_path, "test", later) is None
    path.write_bytes(path.read_bytes()[:40])
    assert read_predictions(tmp_path, "test", a_record()) is None
