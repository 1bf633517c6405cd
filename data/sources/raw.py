"""Splits before tokenisation: the columns of their rows in a memory-mapped Arrow table, labels already encoded."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from data.inputs.columns import Columns
from data.labels import Labels
from data.sources.columns import group_column
from data.sources.take_rows import take_rows
from data.targets.base import Target

if TYPE_CHECKING:
    import pyarrow as pa

CHUNK = 2048  # rows in memory at a time
GROUP = "group"  # the column of data.group, which is not part of a row's content
FOLD = "fold"  # the column of data.fold_column, also not part of the content
CODES = "codes"  # the lists of data.codes, also not part of the content; few runs read them
BESIDE = (GROUP, FOLD, CODES)
TEXTS = "train_texts"  # the split of all training rows in use if only some keep their labels; here all labels are blank
FACT = "_"  # prefix of columns that no model reads, such as all correct answers to a question


@dataclass
class RawSplit:
    """An Arrow table of all rows, the numbers of the rows in use, and their labels."""

    holds_texts: ClassVar[bool] = True
    unit: ClassVar[str] = "texts"  # what its rows are, in messages

    # Columns `text` and, for pairs, `text_pair`; or `words` (lists), or `sound` (bytes). Also the columns of BESIDE
    # that the settings name, and facts such as `_golds`.
    table: pa.Table
    labels: Labels  # of the used rows; values int64, or for numbers float64 when read and float32 later
    rows: np.ndarray  # (used rows,) row numbers in the table
    source_rows: np.ndarray  # (used rows,) line or row numbers in the source, for messages
    groups: np.ndarray | None = None  # (used rows,) rows with the same number stay in one split

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def columns(self) -> list[str]:
        """The names of the columns that a model reads."""
        return [name for name in self.table.column_names if name not in BESIDE and not name.startswith(FACT)]

    @property
    def fact_columns(self) -> list[str]:
        """The names of the columns that no model reads but that scoring or answering needs."""
        return [name for name in self.table.column_names if name.startswith(FACT)]

    def take(self, chosen: np.ndarray) -> RawSplit:
        """Return the split with only these of its used rows."""
        groups = None if self.groups is None else self.groups[chosen]
        return replace(
            self,
            labels=self.labels.take(chosen),
            rows=self.rows[chosen],
            source_rows=self.source_rows[chosen],
            groups=groups,
        )

    def read(self, rows: np.ndarray) -> Columns:
        """Return the columns of the used rows with these numbers."""
        part = take_rows(self.table.select(self.columns), self.rows[rows])
        return {name: part[name].to_pylist() for name in self.columns}

    def shown(self, rows: np.ndarray) -> Columns:
        """Return the columns of the used rows with these numbers in human-readable form."""
        return self.read(rows)

    def facts(self, rows: np.ndarray) -> dict[str, list[Any]]:
        """Return the fact columns of the used rows with these numbers; {} if the table has none."""
        columns = self.fact_columns
        part = take_rows(self.table.select(columns), self.rows[rows]) if columns else None
        return {} if part is None else {name: part[name].to_pylist() for name in columns}

    def codes(self) -> list[list[str]]:
        """Return the codes of each used row."""
        found: list[list[str]] = take_rows(self.table.select([CODES]), self.rows)[CODES].to_pylist()
        return found

    def chunks(self) -> Iterator[tuple[Columns, Labels]]:
        """Yield the columns of the rows and their labels, CHUNK rows at a time."""
        for start in range(0, len(self.rows), CHUNK):
            chosen = np.arange(start, min(start + CHUNK, len(self.rows)))
            yield self.read(chosen), self.labels.take(chosen)

    def own_hashes(self, *, exact: bool) -> np.ndarray | None:
        """Return the hashes (rows,) uint64 by which rows are compared, exactly or ignoring irrelevant differences.

        None: rows are compared by their texts.
        """
        return None

    def row_seconds(self) -> np.ndarray:
        """Return the length of each sound, (rows,) seconds; meaningless for texts."""
        return np.zeros(len(self))

    def texts(self) -> Iterator[str]:
        """Yield every text, second texts included; words joined by spaces."""
        for columns, _ in self.chunks():
            for cells in columns.values():
                yield from (cell if isinstance(cell, str) else " ".join(cell) for cell in cells)

    def fingerprint(self) -> str:
        """Return the sha256 of the content and labels in use, in order; it does not depend on the source."""
        digest = hashlib.sha256()

        for columns, labels in self.chunks():
            for text in (text for cells in columns.values() for cell in cells for text in _texts_of(cell)):
                raw = text.encode("utf-8", "surrogatepass")
                digest.update(len(raw).to_bytes(8, "little"))
                digest.update(raw)
            digest.update(np.ascontiguousarray(labels.values).tobytes())
            if labels.offsets is not None:
                digest.update(np.ascontiguousarray(labels.offsets).tobytes())
        for start in range(0, len(self.rows), CHUNK) if self.fact_columns else ():
            facts = self.facts(np.arange(start, min(start + CHUNK, len(self.rows))))
            digest.update(json.dumps(facts, sort_keys=True).encode())
        return digest.hexdigest()


def _texts_of(cell: str | list[str]) -> list[str]:
    """Return [text] for a text; for a list of words, their number followed by the words."""
    return [cell] if isinstance(cell, str) else [str(len(cell)), *cell]


@dataclass
class RawData:
    """The raw splits of a dataset by name (train; val, test and others if they exist), and their target."""

    target: Target
    splits: dict[str, RawSplit]
    dropped: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    folds: int = 0  # into which the training rows were divided
    whole: Labels | None = None  # labels of the training rows of all folds, where one fold is left out
    truncate: str = "end"  # data.truncate: which tokens a long text loses

    @property
    def training_texts(self) -> str:
        """The name of the split of all training rows in use, including those that do not keep their labels."""
        return TEXTS if TEXTS in self.splits else "train"

    def notes_on_dropped(self) -> list[str]:
        """Return a note for the user on each kind of row that was left out."""
        return [f"rows left out: {count:,} ({what})" for what, count in self.dropped.items()]

    def strata(self, name: str) -> np.ndarray | None:
        """Return the class of each row of a split, by which splits are stratified; None: rows are not stratified."""
        return self.target.strata(self.splits[name].labels)


def columns_beside(group: str | None, fold_column: str | None) -> dict[str, str]:
    """Return the columns of data.group and data.fold_column, by their names in the table of a split."""
    found = {GROUP: group_column(group), FOLD: fold_column}
    return {name: column for name, column in found.items() if column is not None}
