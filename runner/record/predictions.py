"""The stored answers of a run, one file a reported split: written once, read only when a test needs them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from data.splits import TokenSplit


@dataclass(frozen=True)
class Predictions:
    """Labels and predictions (N,) of one split in row order: class ids, or numbers for regression."""

    labels: np.ndarray
    predicted: np.ndarray

    @property
    def right(self) -> np.ndarray:
        """(N,) 1.0 where the predicted class is the label."""
        return np.asarray(self.labels == self.predicted, dtype=np.float64)


def write_predictions(
    folder: Path, split: TokenSplit, answers: Mapping[str, np.ndarray], label_names: Sequence[str] = ()
) -> Path:
    """Store the answer to each row as predictions-<split>.parquet, atomically.

    answers: the columns that the task names, (rows,) each, in row order. Beside them: `source_row`, the number of the
    row's line or row in the user's file, and for classes their names, `label_name` and `prediction_name`.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns: dict[str, Any] = {"row": np.arange(len(split))}
    if split.source_rows is not None:
        columns["source_row"] = split.source_rows
    columns |= answers
    if label_names:
        columns |= {f"{key}_name": pa.array(label_names).take(columns[key]) for key in ("label", "prediction")}
    path = folder / f"predictions-{split.name}.parquet"
    part = path.with_suffix(".part")
    pq.write_table(pa.table(columns), part)
    part.replace(path)
    return path


def read_predictions(run_folder: Path, split: str) -> Predictions | None:
    """The predictions of a run on a split, None where none are stored or they cannot be read."""
    return _read(run_folder / f"predictions-{split}.parquet")


@lru_cache(maxsize=64)  # the baseline's are read for every group
def _read(path: Path) -> Predictions | None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pa.OSFile(str(path)) as stream, pq.ParquetFile(stream) as file:
            table = file.read(columns=["label", "prediction"], use_threads=False)
            return Predictions(table["label"].to_numpy(), table["prediction"].to_numpy())
    except (OSError, KeyError, pa.ArrowException):
        return None
