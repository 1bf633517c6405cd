"""Tokens of texts with the character range of each token, and the special tokens around a pair of texts.

Characters are Unicode code points of the original text, before the tokenizer's normaliser changes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from data.errors import DataError
from data.inputs.tokenizer import PieceTokenizer
from data.inputs.word_cache import spans


@dataclass(frozen=True)
class OffsetPieces:
    """The tokens of texts end to end, without special tokens."""

    tokens: np.ndarray  # (sum of counts,) int64
    counts: np.ndarray  # (texts,) int64: tokens of each text
    characters: np.ndarray  # (sum of counts, 2) int32: where each token starts and ends in its text

    def take(self, texts: np.ndarray) -> OffsetPieces:
        """Return the tokens of these texts, in this order; a text may occur several times."""
        chosen = spans((np.cumsum(self.counts) - self.counts)[texts], self.counts[texts])
        return OffsetPieces(self.tokens[chosen], self.counts[texts], self.characters[chosen])


def offset_pieces(tokenizer: PieceTokenizer, texts: Sequence[str]) -> OffsetPieces:
    """Return the tokens of texts; equal texts, such as a context of several questions, are encoded once."""
    backend, distinct = tokenizer.backend, {text: i for i, text in enumerate(dict.fromkeys(texts))}
    backend.no_truncation()
    backend.no_padding()
    found = backend.encode_batch(list(distinct), add_special_tokens=False)
    counts = np.fromiter((len(one.ids) for one in found), np.int64, len(found))
    tokens = [np.array(one.ids, np.int64) for one in found]
    characters = [np.array(one.offsets, np.int32).reshape(-1, 2) for one in found]
    pieces = OffsetPieces(
        np.concatenate([np.zeros(0, np.int64), *tokens]),
        counts,
        np.concatenate([np.zeros((0, 2), np.int32), *characters]),
    )
    return pieces.take(np.fromiter((distinct[text] for text in texts), np.int64, len(texts)))


@dataclass(frozen=True)
class PairFrame:
    """The special tokens before, between and after the two texts of a pair."""

    before: np.ndarray  # (b,) int64
    between: np.ndarray  # (m,) int64
    after: np.ndarray  # (a,) int64
    has_segments: bool  # does the second text have segment id 1?

    @classmethod
    def of(cls, tokenizer: PieceTokenizer) -> PairFrame:
        """Find the special tokens by encoding two letters; DataError if none comes before the first text."""
        backend = tokenizer.backend
        backend.no_truncation()
        backend.no_padding()
        found = backend.encode("a", "a")
        ids, of_text = np.array(found.ids, np.int64), np.array([-1 if s is None else s for s in found.sequence_ids])
        first, second = (np.flatnonzero(of_text == text) for text in (0, 1))
        if not len(first) or not len(second) or first[0] == 0:
            raise DataError(
                f"the tokenizer of {tokenizer.source} puts no special token before two texts, but "
                "that token stands for questions without an answer. Try: model.tokenizer=<that of a BERT>"
            )
        before, between, after = ids[: first[0]], ids[first[-1] + 1 : second[0]], ids[second[-1] + 1 :]
        return cls(before, between, after, found.type_ids[second[0]] == 1)

    def __len__(self) -> int:
        return len(self.before) + len(self.between) + len(self.after)
