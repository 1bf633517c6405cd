"""Rows of words with one or two tags per word: from any source to one Arrow table and columns of tags.

Rows without words are left out and counted. Rows may be joined (data.join=3): if each row is one sentence, a model that
restores punctuation learns nothing from the end of a row.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from data.errors import DataError
from data.inputs.words import WORDS
from data.sources.conll import check_lengths, tags_of, words_of
from data.sources.raw import CHUNK

if TYPE_CHECKING:
    import pyarrow as pa

Row = tuple[int, object, Sequence[object]]  # number in the source, cell of words, cells of tags


class TagColumn:
    """The tags of a split, as codes of their distinct names (8 bytes per word)."""

    def __init__(self, key: str, names: Sequence[str] = ()) -> None:
        self.key = key  # its name in messages, such as data.tags=ner_tags
        self.names = tuple(names)  # in id order, if the dataset itself has them
        self.distinct: dict[str, int] = {name: i for i, name in enumerate(names)}
        self.codes = array("q")

    def add(self, tags: Iterable[str]) -> None:
        """Add the tags of one row."""
        self.codes.extend(self.distinct.setdefault(tag, len(self.distinct)) for tag in tags)

    @property
    def values(self) -> np.ndarray:
        """The codes, (words,) int64."""
        return np.frombuffer(self.codes, dtype=np.int64) if self.codes else np.zeros(0, np.int64)

    @property
    def tags(self) -> tuple[str, ...]:
        """The tag of each code: those that the dataset names, in its order, then others as they first occur."""
        return tuple(self.distinct)


class TaggedRows:
    """The rows of a split, checked and joined while they are read."""

    def __init__(self, columns: Sequence[TagColumn], where: str, join: int = 1) -> None:
        self.columns, self.where, self.join = columns, where, join
        self.ends, self.source_rows = array("q", [0]), array("q")
        self.source_ends, self.source_numbers = array("q", [0]), array("q")  # before rows are joined
        self.empty = 0  # rows without words

    def table(self, rows: Iterable[Row]) -> pa.Table:
        """Read all rows into a table with the column WORDS; DataError for a wrong row (with its number) or no row."""
        import pyarrow as pa

        schema = pa.schema([(WORDS, pa.list_(pa.string()))])
        batches, waiting = [], list[list[str]]()
        for words in self._joined(rows):
            waiting.append(words)
            if len(waiting) == CHUNK:
                batches.append(pa.record_batch([waiting], schema=schema))
                waiting = []
        if waiting:
            batches.append(pa.record_batch([waiting], schema=schema))
        if not batches:
            raise DataError(f"{self.where} has no row with words. Try: another file, or another column of words")
        return pa.Table.from_batches(batches, schema)

    @property
    def offsets(self) -> np.ndarray:
        """Where the words of each row begin, (rows + 1,) int64."""
        return np.frombuffer(self.ends, dtype=np.int64)

    @property
    def source_offsets(self) -> np.ndarray:
        """Where the words of each source row begin, (source rows + 1,) int64; no entity crosses these boundaries."""
        return np.frombuffer(self.source_ends, dtype=np.int64)

    @property
    def values(self) -> np.ndarray:
        """The codes of the tags, (words,) or (words, 2) int64."""
        found = [column.values for column in self.columns]
        return found[0] if len(found) == 1 else np.stack(found, axis=1)

    def _joined(self, rows: Iterable[Row]) -> Iterator[list[str]]:
        """Yield the words of rows, with every `join` source rows joined to one; store tags and row numbers."""
        words, count = list[str](), 0
        for number, cell, cells in rows:
            found = self._checked(number, cell, cells)
            if not found:
                self.empty += 1
                continue
            self.source_numbers.append(number)
            self.source_ends.append(self.source_ends[-1] + len(found))
            if not count:
                self.source_rows.append(number)
            words, count = words + found, count + 1
            if count == self.join:
                yield self._closed(words)
                words, count = [], 0
        if count:
            yield self._closed(words)

    def _checked(self, number: int, cell: object, cells: Sequence[object]) -> list[str]:
        """Return the words of a row and store its tags."""
        where = f"{self.where} row {number}"
        words = words_of(cell, where)
        for column, values in zip(self.columns, cells, strict=True):
            tags = tags_of(values, column.names, where, column.key)
            check_lengths(words, tags, where, column.key)
            column.add(tags)
        return words

    def _closed(self, words: list[str]) -> list[str]:
        """Return the words of a complete row and store where it ends."""
        self.ends.append(self.ends[-1] + len(words))
        return words
