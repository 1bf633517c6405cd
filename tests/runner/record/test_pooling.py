"""Out-of-fold answers are laid together by the number of the row, once in each repeat."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from runner.errors import ConfigError
from runner.record.json_files import write_json
from runner.record.pooling import held_out_logits, pooled, selection_answers
from runner.statistics.answers import Answers
from tests.records import record_json


def part(rows: list[int], right: int = 1) -> tuple[Answers, np.ndarray]:
    labels = np.array(rows) % 2
    return Answers({"label": labels, "prediction": labels * right}), np.array(rows)


def test_rows_are_in_one_order_in_every_repeat() -> None:
    first, second = pooled([[part([2, 9]), part([5, 4])], [part([4, 2], right=0), part([5, 9])]])
    assert first["label"].tolist() == second["label"].tolist() == [0, 0, 1, 1]
    assert first["prediction"].tolist() == [0, 0, 1, 1] and second["prediction"].tolist() == [0, 0, 1, 1]
    (only,) = pooled([[part([7, 3], right=0)]])
    assert only["label"].tolist() == [1, 1] and only["prediction"].tolist() == [0, 0]


def test_queries_keep_their_documents_where_each_document_has_a_number() -> None:
    queries = [
        Answers({"label": np.arange(5)}, np.array([0, 2, 5])),
        Answers({"label": np.array([7, 8])}, np.array([0, 2])),
    ]
    (found,) = pooled([[(queries[0], np.array([5, 6, 0, 1, 2])), (queries[1], np.array([3, 4]))]])
    assert found["label"].tolist() == [2, 3, 4, 7, 8, 0, 1]
    assert found.offsets is not None and found.offsets.tolist() == [0, 3, 5, 7]


def test_sentences_keep_their_words() -> None:
    tags = [
        Answers({"label": np.arange(4)}, np.array([0, 1, 4])),
        Answers({"label": np.array([7, 8])}, np.array([0, 2])),
    ]
    (found,) = pooled([[(tags[0], np.array([3, 1])), (tags[1], np.array([2]))]])
    assert found["label"].tolist() == [1, 2, 3, 7, 8, 0]
    assert found.offsets is not None and found.offsets.tolist() == [0, 3, 5, 6]


def test_answers_without_numbers_stay_in_the_order_of_the_folds() -> None:
    (found,) = pooled([[(part([5, 3])[0], None), (part([2])[0], None)]])
    assert found["label"].tolist() == [1, 1, 0]


def test_runs_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="held out by two folds"):
        pooled([[part([1, 2]), part([2, 3])]])
    with pytest.raises(ConfigError, match="different rows"):
        pooled([[part([1, 2])], [part([1, 3])]])
    with pytest.raises(ConfigError, match="no stored answers"):
        selection_answers([[tmp_path]])


def a_fold(folder: Path, rows: list[int], task: str = "classification") -> Path:
    """A run that held these rows out: row r has the logits (r, -r), and the label 1 if r is odd."""
    folder.mkdir()
    data = record_json()["data"] | {"labels": ["no", "yes"], "selection": "val/accuracy", "task": task}
    write_json(folder / "record.json", record_json(data=data))
    logits = np.array(rows, np.float32)[:, None] * [1, -1]
    columns: dict[str, object] = {"label": np.array(rows) % 2, "prediction": logits.argmax(1), "source_row": rows}
    columns |= {f"logit_{place}": logits[:, place] for place in range(2)}
    if task == "multilabel":
        sets = [[row % 2, 1] for row in rows]
        columns = {"label": sets, "prediction": sets, "logit": logits.tolist(), "source_row": rows}
    pq.write_table(pa.table(columns), folder / "predictions-val.parquet")
    return folder


@pytest.mark.parametrize(("task", "labels"), [("classification", [0, 1, 0]), ("multilabel", [[0, 1], [1, 1], [0, 1]])])
def test_logits_of_all_folds_are_in_the_order_of_the_rows(tmp_path: Path, task: str, labels: object) -> None:
    numbers, logits, found = held_out_logits([a_fold(tmp_path / "a", [8, 2], task), a_fold(tmp_path / "b", [3], task)])
    assert numbers.tolist() == [2, 3, 8] and logits.tolist() == [[2, -2], [3, -3], [8, -8]] and found.tolist() == labels
    with pytest.raises(ConfigError, match="held out by two folds"):
        held_out_logits([tmp_path / "a", a_fold(tmp_path / "c", [2], task)])
    (tmp_path / "b" / "predictions-val.parquet").unlink()
    with pytest.raises(ConfigError, match=r"b has no stored logits .*Try: the command with force=true"):
        held_out_logits([tmp_path / "a", tmp_path / "b"])
