"""The stored answers of a run, read only when a test needs them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from runner.compare.select import Run


@dataclass(frozen=True)
class Predictions:
    """Labels and predictions (N,) of one split in row order: class ids, or numbers for regression."""

    labels: np.ndarray
    predicted: np.ndarray

    @property
    def right(self) -> np.ndarray:
        """(N,) 1.0 where the predicted class is the label."""
        return np.asarray(self.labels == self.predicted, dtype=np.float64)


def read_predictions(run: Run, split: str) -> Predictions | None:
    """The predictions of a run on a split, None where none are stored or they cannot be read."""
    return _read(run.folder / f"predictions-{split}.parquet")


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
