"""How relevant a document is to a query: each row is a query-document pair, and the rows of a query stay together.

Each row has four numbers: its gain (the label; 0 without a judgement), whether it is a candidate, its score in the
first-stage ranking, and the number of its query. Relevant documents that are not candidates are rows too: they are
never drawn or ranked, but a ranking that lacks them is not perfect.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from data.errors import DataError
from data.inputs.query_document import QueryDocument
from data.inputs.tokenizer import Tokenizer
from data.labels import Labels
from data.settings import DataSettings
from data.sources.cells import parse_number
from data.splits import Arrays, TokenSplit
from data.targets.base import ColumnTarget
from data.targets.label_column import LabelColumn, encode_column, no_labels_error
from data.targets.masked_words import UNCUT
from data.units import Units

GAIN, RETRIEVED, FIRST, QUERY = range(4)  # columns of the labels
MOST_QUERIES = 1 << 24  # up to here float32 represents query numbers exactly


class Relevance(ColumnTarget):
    """Each row is a query and a document, with the document's gain."""

    name = "relevance"
    task = "rank"

    def __init__(self, settings: DataSettings) -> None:
        super().__init__()
        self.relevant_from, self.negatives, self.passages = (
            settings.relevant_from, settings.negatives, settings.passages,
        )  # fmt: skip

    @classmethod
    def reads(cls, settings: DataSettings, column: LabelColumn) -> bool:
        """Return whether data.task asks for it; it cannot be inferred from numeric labels alone."""
        asked = settings.task
        return asked == cls.task

    @classmethod
    def of(cls, settings: DataSettings, column: LabelColumn, where: str) -> Relevance:
        """Create the target; DataError for labels that are not numbers."""
        if not column.values():
            raise no_labels_error(settings, "train", where)
        if words := column.words():
            raise _not_a_number(column, words[0], where)
        return cls(settings)

    def read(self, column: LabelColumn, settings: DataSettings, name: str, where: str) -> tuple[Labels, np.ndarray]:
        """Return the gains, (rows,) float64; `data/sources/ranked_splits.py` adds the other columns."""

        def gain_of(value: str) -> float | None:
            number = parse_number(value) if value else math.nan
            if number is None or math.isinf(number):
                raise _not_a_number(column, value, where)
            return None if math.isnan(number) else number

        labels, rows = encode_column(column, gain_of, settings, name, where)
        return Labels(labels.astype(np.float64)), rows

    def check(self, labels: Mapping[str, Labels], where: str) -> dict[str, Labels]:
        """Return the labels unchanged; DataError if no training query has both relevant and other candidates."""
        if problem := self.why_unlearnable(labels["train"]):
            raise DataError(f"{where}: {problem}. Try: candidates with such documents, or another data.relevant_from")
        return dict(labels)

    def why_unlearnable(self, labels: Labels) -> str | None:
        """Return a clause if no query has both relevant and other candidates."""
        train = labels.values
        found = train[:, RETRIEVED] > 0
        relevant = found & (train[:, GAIN] >= self.relevant_from)
        both = np.intersect1d(train[relevant, QUERY], train[found & ~relevant, QUERY])
        if len(both):
            return None
        both_kinds = "both a relevant candidate and one that is not relevant"
        what = both_kinds if relevant.any() else "a relevant candidate"
        return f"no training query has {what} (data.relevant_from={self.relevant_from:g})"

    def groups(self, labels: Labels) -> np.ndarray:
        """Return the query of each row."""
        return np.asarray(labels.values[:, QUERY], np.int64)

    def input(self, tokenizer: Tokenizer) -> QueryDocument:
        """Return the input of queries and documents."""
        return QueryDocument(tokenizer)

    def longest(self, max_length: int) -> int:
        """Return no limit: `arrange` cuts documents into passages."""
        return UNCUT

    def arrange(self, split: TokenSplit, settings: DataSettings) -> TokenSplit:
        """Split long documents into passages, or truncate them, and record which rows belong together."""
        assert isinstance(split.input, QueryDocument), "rankings are of queries and documents"
        labels = np.asarray(split.labels.values)
        found = split.input.lay_out(split, settings.max_length, passages=settings.passages != "first")
        is_relevant = labels[:, GAIN] >= self.relevant_from
        is_candidate = labels[:, RETRIEVED] > 0
        units = Units(
            query_offsets(labels), is_candidate & is_relevant, is_candidate & ~is_relevant, self.negatives, found.parts
        )
        return replace(found, units=units)

    def notes_on(self, split: TokenSplit, settings: DataSettings) -> list[str]:
        """Return notes on documents that became passages, and on pairs that were cut."""
        long, found = 0 if split.parts is None else int((np.diff(split.parts) > 1).sum()), []
        limit = f"data.max_length={settings.max_length}"
        if long:
            found.append(
                f"{long:,} of {split.source_count:,} {split.name} documents are longer than {limit} and "
                f"were split into passages (data.passages={settings.passages})"
            )
        if split.truncated:
            found.append(
                f"{split.truncated:,} of {split.source_count:,} {split.name} rows are longer than {limit} and "
                "lost the end of their document or query"
            )
        return found

    def collate(self, split: TokenSplit, rows: np.ndarray, inputs: Arrays, epoch: int) -> Arrays:
        """Return the `labels` (B,) and `item_groups` (B,); the loss compares rows of the same group."""
        values = np.asarray(split.labels.values[rows], np.float32)
        if split.units is None:
            groups = np.unique(values[:, QUERY], return_inverse=True)[1]
        else:
            groups = np.cumsum(split.units.begins(rows)) - 1
        return {"labels": values[:, GAIN], "item_groups": groups.astype(np.int64)}


def query_offsets(labels: np.ndarray) -> np.ndarray:
    """Return where the rows of each query begin, (queries + 1,) int64.

    labels: (rows, 4), the rows of a query one after the other.
    """
    queries = labels[:, QUERY]
    starts = np.flatnonzero(np.diff(queries, prepend=-1))
    return np.concatenate([starts, [len(queries)]]).astype(np.int64)


def _not_a_number(column: LabelColumn, value: str, where: str) -> DataError:
    """Return the error for a label that is not a number."""
    return DataError(
        f"{where} row {column.row_of(value)}: the label {value!r} is not a number, which relevance needs. "
        "Write such labels as numbers (1: relevant, 0: not), or try: another column with data.label=..., or task=auto"
    )
