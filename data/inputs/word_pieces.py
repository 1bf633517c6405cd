"""Pre-split words as token ids, and the token at which each word is predicted.

A word may have no token at all (an empty one, or a zero-width character), so tokens are matched to words by the number
of tokens per word, never by their text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from data.inputs.tokenizer import PieceTokenizer

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Backend


@dataclass(frozen=True)
class Pieces:
    """The tokens of words end to end, without special tokens."""

    tokens: np.ndarray  # (sum of counts,) int64
    counts: np.ndarray  # (words,) int64: tokens of each word


@dataclass(frozen=True)
class Frame:
    """The special tokens around a row."""

    before: np.ndarray  # (b,) int64
    after: np.ndarray  # (a,) int64

    @classmethod
    def of(cls, tokenizer: PieceTokenizer) -> Frame:
        """Find the special tokens by encoding one letter."""
        backend = tokenizer.backend
        backend.no_truncation()
        backend.no_padding()
        found = backend.encode("a")
        ids, special = np.array(found.ids, np.int64), np.array(found.special_tokens_mask, bool)
        inner = np.flatnonzero(~special)
        first, last = (int(inner[0]), int(inner[-1]) + 1) if len(inner) else (len(ids), len(ids))
        return cls(ids[:first], ids[last:])

    def __len__(self) -> int:
        return len(self.before) + len(self.after)


def word_pieces(tokenizer: PieceTokenizer, rows: list[list[str]]) -> Pieces:
    """Return the tokens of the words of all rows; each word is encoded alone, as tokenizers do with pre-split text."""
    if tokenizer.word_cache is not None:
        return Pieces(*tokenizer.word_cache.words([word for row in rows for word in row]))
    backend = tokenizer.backend
    backend.no_truncation()
    backend.no_padding()
    if needs_space(backend):
        rows = [[word if i == 0 else f" {word}" for i, word in enumerate(row)] for row in rows]
    found = backend.encode_batch(rows, is_pretokenized=True, add_special_tokens=False)
    counts = [np.bincount(np.array(e.word_ids, np.int64), minlength=len(row)) for e, row in zip(found, rows)]
    tokens = [np.array(e.ids, np.int64) for e in found]
    nothing = np.zeros(0, np.int64)
    return Pieces(np.concatenate([nothing, *tokens]), np.concatenate([nothing, *counts]))


def needs_space(backend: Backend) -> bool:
    """Return whether the space before a word is part of its tokens but is not added to pre-split words.

    This holds for byte-level tokenizers, and for SentencePiece ones that put no space before a text. It is tested by
    encoding, because many steps of a tokenizer can turn a space into a token.
    """

    def split(*words: str) -> list[int]:
        found: list[int] = backend.encode(words, is_pretokenized=True, add_special_tokens=False).ids
        return found

    text = backend.encode("a a", add_special_tokens=False).ids
    return bool(split("a", "a") != text == split("a", " a"))


def first_places(counts: np.ndarray, offsets: np.ndarray, before: int) -> np.ndarray:
    """Return the position of each word's first token in its row, (words,) int32; -1 for a word without tokens.

    counts: (words,) tokens of each word; offsets: (rows + 1,) where the words of each row begin; before: number of
    special tokens at the beginning of a row.
    """
    ends = np.cumsum(counts)
    starts = ends - counts
    of_row = np.concatenate([[0], ends])[offsets[:-1]]  # tokens before each row
    places = starts - np.repeat(of_row, np.diff(offsets)) + before
    return np.where(counts > 0, places, -1).astype(np.int32)
