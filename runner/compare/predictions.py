"""The stored answers of a run, read only when a test needs them."""

from __future__ import annotations

from dataclasses import dataclass

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
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = run.folder / f"predictions-{split}.parquet"
    try:
        with pq.ParquetFile(path) as file:
            table = file.read(columns=["label", "prediction"], use_threads=False)
    except (OSError, pa.ArrowException):
        return None
    return Predictions(table["label"].to_numpy(), table["prediction"].to_numpy())
