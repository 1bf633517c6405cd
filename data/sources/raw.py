"""Splits before tokenising: texts in a memory-mapped Arrow table, labels already encoded."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from data.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

CHUNK = 2048  # rows in memory at a time


@dataclass
class RawSplit:
    """Texts (and second texts) in an Arrow table, the rows of it in use, and their labels."""

    table: pa.Table  # columns `text`, for pairs `text_pair`, and with data.group `group`
    labels: np.ndarray  # (used rows,) int64; numbers are float64 when read and float32 later
    rows: np.ndarray  # (used rows,) row numbers in the table
    source_rows: np.ndarray  # (used rows,) line or row numbers in the source, for messages
    groups: np.ndarray | None = None  # (used rows,) rows with the same number stay in one split

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, chosen: np.ndarray) -> RawSplit:
        """Return the split with only these of its used rows."""
        groups = None if self.groups is None else self.groups[chosen]
        return replace(
            self,
            labels=self.labels[chosen],
            rows=self.rows[chosen],
            source_rows=self.source_rows[chosen],
            groups=groups,
        )

    def chunks(self) -> Iterator[tuple[list[str], list[str] | None, np.ndarray]]:
        """Yield texts, second texts and labels, CHUNK rows at a time."""
        pair = "text_pair" in self.table.column_names
        for start in range(0, len(self.rows), CHUNK):
            part = self.table.take(self.rows[start : start + CHUNK])
            labels = self.labels[start : start + CHUNK]
            yield part["text"].to_pylist(), part["text_pair"].to_pylist() if pair else None, labels

    def texts(self) -> Iterator[str]:
        """Yield every text, second texts included."""
        for texts, pairs, _ in self.chunks():
            yield from texts
            yield from pairs or []

    def fingerprint(self) -> str:
        """Return the sha256 of the texts and labels in use, in order, whatever source they came from."""
        digest = hashlib.sha256()
        for texts, pairs, labels in self.chunks():
            for text in texts if pairs is None else [*texts, *pairs]:
                raw = text.encode("utf-8", "surrogatepass")
                digest.update(len(raw).to_bytes(8, "little"))
                digest.update(raw)
            digest.update(np.ascontiguousarray(labels).tobytes())
        return digest.hexdigest()


@dataclass
class RawData:
    """The raw splits of a dataset by name (train; val, test and others if they exist), and what labels mean."""

    kind: str  # classification | regression | mlm (texts without labels)
    label_names: tuple[str, ...]
    splits: dict[str, RawSplit]
    dropped: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def require_two_classes(data: RawData, where: str) -> None:
    """Raise DataError for a classification with fewer than two classes among the training labels."""
    if data.kind != "classification":
        return
    seen = np.unique(data.splits["train"].labels)
    if len(seen) < 2:
        only = data.label_names[int(seen[0])] if len(seen) else "none"
        raise DataError(
            f"{where}: all training labels are {only!r}; a classifier needs at least two classes. "
            "Try: another column with data.label=..., or data.task=regression"
        )
