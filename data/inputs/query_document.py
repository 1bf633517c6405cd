"""A query and a document as the input of a row; a long document becomes passages, each preceded by the query.

Only the document is cut, unless the query leaves it less than a quarter of the tokens: then the query is truncated too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Self

import numpy as np

from data.inputs.columns import Columns
from data.inputs.request import Asked, Field
from data.inputs.text import Text
from data.inputs.tokenizer import PieceTokenizer, Tokenizer
from data.inputs.word_cache import Encoded, spans
from data.json_types import JsonObject
from data.labels import Labels
from data.splits import TokenSplit
from data.targets.masked_words import UNCUT


class QueryDocument(Text):
    """A query and a document, as tokens."""

    name: ClassVar[str] = "query_document"
    options: ClassVar[tuple[str, ...]] = ("passages",)

    def __init__(self, tokenizer: Tokenizer, *, passages: bool = True) -> None:
        """passages: are long documents in questions split into passages?"""
        super().__init__(tokenizer, is_pair=True)
        self.passages = passages
        self.ending = _special_tokens_after(tokenizer)

    def encode(self, columns: Columns, max_length: int) -> Encoded:
        """Return whole pairs as tokens; `max_length` is ignored, see `lay_out`."""
        return self.tokenizer.encode(columns["text"], columns["text_pair"], UNCUT)

    def lay_out(self, split: TokenSplit, max_length: int, *, passages: bool) -> TokenSplit:
        """Return the split with rows of at most `max_length` tokens.

        passages: a longer document becomes several rows; the last one begins early enough to be as long as the others.
        Otherwise, or with a tokenizer that does not say where a document begins, it is truncated.
        """
        lengths, offsets = split.lengths, np.asarray(split.offsets[:-1])
        if not (lengths > max_length).any():
            return split
        starts = np.asarray(split.segment_starts, np.int64)
        is_pair = starts < lengths  # a tokenizer without segments does not say where a document begins
        starts = np.where(is_pair, starts, 1)
        documents = lengths - starts - self.ending
        kept = np.minimum(starts, max_length - self.ending - np.minimum(documents, max_length // 4))
        room = max_length - self.ending - kept
        counts = np.where(passages & is_pair, -(-documents // np.maximum(room, 1)), 1).clip(1)
        rows = np.repeat(np.arange(len(lengths)), counts)
        number = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
        begin = np.minimum(number * room[rows], np.maximum(documents - room, 0)[rows])
        begin = np.where(counts[rows] > 1, begin, 0)
        size = np.minimum(documents[rows] - begin, room[rows])
        ends = offsets[rows] + lengths[rows]
        index, new = _index(offsets[rows], starts[rows], kept[rows], begin, size, ends, self.ending)
        is_lost = (kept < starts) | ((documents > room) & (counts == 1))
        return replace(
            split,
            tokens=np.asarray(split.tokens)[index],
            offsets=np.concatenate([[0], np.cumsum(new)]),
            segment_starts=np.where(is_pair[rows], kept[rows], new).astype(np.int32),
            labels=split.labels.take(rows),
            truncated=int(is_lost.sum()),
            parts=np.concatenate([[0], np.cumsum(counts)]) if (counts > 1).any() else None,
        )

    @classmethod
    def for_questions(cls, tokenizer: Tokenizer, columns: tuple[str, ...], options: JsonObject) -> Self:
        """Return the input of a model whose training rows were arranged with these options."""
        return cls(tokenizer, passages=options.get("passages") != "first")

    def request(self) -> tuple[Field, ...]:
        """Return a query and a document."""
        return Field("text", "text", "A query"), Field("text_pair", "text", "A document")

    def ask(self, columns: Sequence[Sequence[str]], max_length: int) -> Asked:
        """Return pairs prepared for the model; UnicodeEncodeError for a text that is not valid Unicode."""
        texts, documents = list(columns[0]), list(columns[1])
        for text in (*texts, *documents):
            text.encode()
        found = self.encode({"text": texts, "text_pair": documents}, max_length)
        labels = Labels(np.zeros(len(texts), np.int64))
        whole = TokenSplit(
            "texts",
            found.tokens,
            np.concatenate([[0], np.cumsum(found.lengths)]),
            found.segment_starts,
            labels,
            0,
            self,
        )
        split = self.lay_out(whole, max_length, passages=self.passages)
        return Asked(split, lambda: found.lengths, _is_cut(whole, split), texts, rows=split.parts)


def _special_tokens_after(tokenizer: Tokenizer) -> int:
    """Return how many special tokens end each of the two texts of a pair: 1, or 0 if the tokenizer adds none."""
    if not isinstance(tokenizer, PieceTokenizer):
        return 0
    tokenizer.backend.no_truncation()
    return int(tokenizer.backend.encode("a", "a").special_tokens_mask[-1])


def _is_cut(whole: TokenSplit, split: TokenSplit) -> np.ndarray:
    """Return which pairs lost tokens when they were laid out, (pairs,) bool; passages lose only those of a query."""
    bounds = np.arange(len(whole) + 1) if split.parts is None else split.parts
    first, has_passages = bounds[:-1], np.diff(bounds) > 1
    before = np.where(has_passages, whole.segment_starts, whole.lengths)
    found: np.ndarray = np.where(has_passages, split.segment_starts[first], split.lengths[first]) < before
    return found


def _index(
    offsets: np.ndarray, starts: np.ndarray, kept: np.ndarray, begin: np.ndarray, size: np.ndarray, ends: np.ndarray,
    ending: int,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Return the indices of the tokens of all new rows end to end, and the length of each row, (rows,).

    offsets, ends: (rows,) where the original row begins and ends; starts: where its document begins; kept: number of
    tokens kept before the document; begin, size: of the passage; ending: number of special tokens after each text.
    """
    lengths = kept + size + ending
    first = np.cumsum(lengths) - lengths
    found = np.empty(int(lengths.sum()), np.int64)
    found[spans(first, kept)] = spans(offsets, kept)
    found[spans(first + kept, size)] = spans(offsets + starts + begin, size)
    if ending:
        found[first + kept - 1] = offsets + starts - 1
        found[first + kept + size] = ends - 1
    return found, lengths
