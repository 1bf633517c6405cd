"""The stored answers: which columns they have, and that damaged ones count as none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from data.splits import TokenSplit
from runner.record.predictions import write_predictions
from tests.data.helpers import split_of


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
