"""The stored answers of a run, one file per split except train: written once, read only when a test needs them.

A file has one line per resampling unit, in the order of the rows; if a unit has several items, such as a sentence with
its tags, the columns are lists.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from data.splits import TokenSplit
from runner.record.answer_cache import AnswerCache, Columns
from runner.record.calibration import CalibrationFacts
from runner.record.record import RunRecord
from runner.statistics.adaptive_temperature import apply_temperature
from runner.statistics.answers import Answers
from runner.statistics.probabilities import softmax
from runner.tasks.base import Task
from runner.tasks.make import task_of_record

if TYPE_CHECKING:
    import pyarrow as pa


def write_predictions(
    folder: Path,
    split: TokenSplit,
    columns: Mapping[str, np.ndarray],
    names: Sequence[str] = (),
    offsets: np.ndarray | None = None,
) -> Path:
    """Store the answer to each row as predictions-<split>.parquet, atomically.

    columns: those that the task defines, (items,) each, in the order of the rows. names: of the classes, in id order.
    offsets: (units + 1,) where each unit's items begin, None for one item a row. Beside them: `source_row`, the number
    of the row's line or row in the user's file, and for classes their names, `label_name` and `prediction_name`.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    items = len(next(iter(columns.values())))
    stored: dict[str, Any] = {"row": np.arange(items if offsets is None else len(offsets) - 1)}
    if split.source_rows is not None:
        stored["source_row"] = split.source_rows
    stored |= columns
    if names:
        stored |= {f"{key}_name": pa.array(names).take(columns[key]) for key in ("label", "prediction")}
    if offsets is not None:
        ends = pa.array(offsets, pa.int32())
        listed = [
            name for name, values in stored.items() if name not in OF_UNITS or len(values) == items > len(ends) - 1
        ]
        stored |= {name: pa.ListArray.from_arrays(ends, pa.array(stored[name])) for name in listed}
    path = folder / f"predictions-{split.name}.parquet"
    part = path.with_suffix(".part")
    pq.write_table(pa.table(stored), part)
    part.replace(path)
    return path


# Columns with one value per line even if the others are lists, as long as a unit is one source row.
OF_UNITS = {"row", "source_row"}


def read_predictions(
    run_folder: Path, split: str, record: RunRecord, cache: AnswerCache | None = None
) -> Answers | None:  # fmt: skip
    """Return the stored answers of a run to a split; None if none are stored, or they cannot be read.

    record: of the run; its task says which columns its scores read. cache: of the folder that the run's lies in.
    """
    try:
        task = task_of_record(record)
    except KeyError:  # a task that this version does not know
        return None
    return read_answers(run_folder, split, task, cache)


def read_answers(run_folder: Path, split: str, task: Task, cache: AnswerCache | None = None) -> Answers | None:
    """Return the stored answers of a run of this task; None if none are stored, or they cannot be read."""
    path = run_folder / f"predictions-{split}.parquet"
    found = cache.read(path, task.stored, _read) if cache else _read(path, task.stored)
    return found and task.named(Answers(*found))


def read_texts(run_folder: Path, split: str, record: RunRecord) -> Answers | None:
    """Return the stored answers with the texts in `label` and `prediction`, for a task that scores texts; None without
    any.
    """
    found = _read(run_folder / f"predictions-{split}.parquet", (*task_of_record(record).stored, "label", "prediction"))
    return found and task_of_record(record).named(Answers(*found))


def read_source_rows(run_folder: Path, split: str) -> np.ndarray | None:
    """Return the numbers (rows,) of the stored rows in the user's file.

    None if none are stored, as for rows that a task made.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    try:
        with pa.OSFile(str(run_folder / f"predictions-{split}.parquet")) as stream, pq.ParquetFile(stream) as file:
            found = file.read(columns=["source_row"], use_threads=False)["source_row"]
            return np.asarray((pc.list_flatten(found) if pa.types.is_list(found.type) else found).to_numpy())
    except (OSError, KeyError, pa.ArrowException):
        return None


def read_logits(run_folder: Path, split: str, record: RunRecord) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the raw logits (rows, C), float64, and the labels (rows,) of a split as the run answered it, in its order.

    None if none are stored, as for tags and for runs of other tasks, or they cannot be read.
    """
    columns = [f"logit_{place}" for place in range(len(record.data.labels))]
    found = _read(run_folder / f"predictions-{split}.parquet", ("label", *columns)) if columns else None
    if found is None or found[1] is not None:
        return None
    arrays = found[0]
    return np.stack([arrays[name].astype(np.float64) for name in columns], axis=1), np.asarray(arrays["label"])


def calibrated_probabilities(record: RunRecord, logits: np.ndarray) -> np.ndarray:
    """Return the probabilities (n, C), float64, of raw logits (n, C) as the run answers.

    Without calibration they are the plain softmax, a score; see `record.is_calibrated`.
    """
    return softmax(calibrated_logits(record.calibration or CalibrationFacts(), logits))


def calibrated_logits(facts: CalibrationFacts, logits: np.ndarray) -> np.ndarray:
    """Return the logits (n, C), float64, whose softmax the probabilities are."""
    logits = np.asarray(logits, np.float64)
    if facts.weights:
        return np.asarray(logits * np.array(facts.weights) + np.array(facts.shifts))
    return apply_temperature(logits, facts.temperature, facts.power)


def _read(path: Path, names: tuple[str, ...]) -> Columns | None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pa.OSFile(str(path)) as stream, pq.ParquetFile(stream) as file:
            table = file.read(columns=list(names), use_threads=False).combine_chunks()
            return _columns(table, names)
    except (OSError, KeyError, pa.ArrowException):
        return None


def _columns(table: pa.Table, names: tuple[str, ...]) -> Columns:
    """Return the columns of a table, lists concatenated, and where each row's items begin.

    None for one item per row.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    arrays = {name: table[name] for name in names}
    first = arrays[names[0]]
    if not pa.types.is_list(first.type):
        return {name: array.to_numpy() for name, array in arrays.items()}, None
    counts = pc.list_value_length(first).to_numpy()
    flat = {name: pc.list_flatten(array).to_numpy() for name, array in arrays.items()}
    return flat, np.concatenate([[0], np.cumsum(counts)])
