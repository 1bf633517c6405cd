"""Scores a document by its passages, each after the whole query, for a model that ranks (data.passages).

Imported by predict.py, beside which it lies, where a header has `passages`. Rows are laid out as training lays them
out, in data/inputs/query_document.py; the passages of a document are asked one after the other.
"""

from __future__ import annotations

from typing import Protocol

if __package__:
    from .wordpiece import UNLIMITED, Rows
else:  # copied into a bundle
    from wordpiece import UNLIMITED, Rows  # type: ignore[import-not-found,no-redef]

Row = tuple[list[int], int]  # ids with special ones, and where the second text begins


class RowScorer(Protocol):
    """A model of rows of ids."""

    pieces: Rows
    most: int  # ids of a row

    def score_row(self, ids: list[int], start: int) -> list[float]: ...
    def length(self, text: str, pair: str | None = None) -> int: ...


class Passages:
    """A scorer of queries and documents."""

    def __init__(self, scorer: RowScorer, way: str) -> None:
        """way: max | mean of the passages of a long document, or first, whose end is cut off; ValueError for others."""
        if way not in ("max", "mean", "first"):
            raise ValueError(f"long documents are read in a way unknown to this reader ({way!r})")
        self.scorer, self.way, self.ending = scorer, way, scorer.pieces.ending
        ids, start = scorer.pieces.row("a", "a", UNLIMITED)
        self.has_segments = start < len(ids)  # else it is not known where a document begins, and its end is cut off

    def score(self, text: str, pair: str | None = None) -> list[float]:
        """Return the score of a query and a document, in a list."""
        scores = [self.scorer.score_row(*row)[0] for row in self.rows(*self.scorer.pieces.row(text, pair, UNLIMITED))]
        return [sum(scores) / len(scores) if self.way == "mean" else max(scores)]

    def length(self, text: str, pair: str | None = None) -> int:
        """Return the tokens of a query and a document; as many as are read of a row where passages cut none off."""
        found = self.scorer.length(text, pair)
        return found if self.way == "first" or not self.has_segments else min(found, self.scorer.most)

    def rows(self, ids: list[int], start: int) -> list[Row]:
        """Return the rows of a query and a document, given the ids of both; the last is as long as the others.

        Of the query only what leaves a document less than a quarter of a row is cut.
        """
        most, ending = self.scorer.most, self.ending
        if len(ids) <= most:
            return [(ids, start)]
        start = start if self.has_segments else 1
        document = ids[start : len(ids) - ending]
        kept = min(start, most - ending - min(len(document), most // 4))
        room = most - ending - kept
        count = max(1, -(-len(document) // max(room, 1))) if self.way != "first" and self.has_segments else 1
        query = [*ids[: kept - ending], *ids[start - ending : start]]
        begins = [min(number * room, max(len(document) - room, 0)) for number in range(count)]
        found = [[*query, *document[begin : begin + room], *ids[len(ids) - ending :]] for begin in begins]
        return [(row, kept if self.has_segments else len(row)) for row in found]
