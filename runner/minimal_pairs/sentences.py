"""Sentences as pieces of a tokenizer, with the words that the pieces belong to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from data.errors import DataError
from data.inputs.cleaning import clean_texts
from data.inputs.tokenizer import PieceTokenizer
from data.inputs.word_pieces import Frame

BY_WORD = ("word_l2r", "word")  # scores that mask the pieces of a word together


@dataclass(frozen=True)
class Sentences:
    """Sentences as pieces, without the special tokens around them."""

    pieces: list[np.ndarray]  # of each sentence (n,) int64
    words: list[np.ndarray]  # of each sentence (n,) int64: the number of each piece's word, rising
    unknown: np.ndarray  # (sentences,) bool: has it an [UNK]?
    frame: Frame
    mask_id: int

    @property
    def lengths(self) -> np.ndarray:
        """Pieces of each sentence, (sentences,)."""
        return np.array([len(one) for one in self.pieces], np.int64)


def encode_sentences(tokenizer: PieceTokenizer, texts: Sequence[str], score: str) -> Sentences:
    """Return the pieces of sentences; raise DataError for a tokenizer without what the score needs."""
    backend = tokenizer.backend
    mask_id = backend.token_to_id(tokenizer.names.get("mask_token", "[MASK]"))
    if mask_id is None:
        raise DataError(
            f"the tokenizer of {tokenizer.source} has no mask token, so no piece can be hidden. Try: from=<a masked "
            "language model>"
        )
    backend.no_truncation()
    backend.no_padding()
    if score in BY_WORD and not has_words(tokenizer):
        raise DataError(
            f"score={score}: the tokenizer of {tokenizer.source} does not say which pieces make a word. Try: score=pll"
        )
    found = backend.encode_batch(clean_texts(list(texts), tokenizer.cleaning), add_special_tokens=False)
    unknown_id = backend.token_to_id(tokenizer.names.get("unk_token", "[UNK]"))
    pieces = [np.array(one.ids, np.int64) for one in found]
    words = [np.array([-1 if word is None else word for word in one.word_ids], np.int64) for one in found]
    unknown = np.array([unknown_id is not None and unknown_id in one.ids for one in found], bool)
    return Sentences(pieces, words, unknown, Frame.of(tokenizer), mask_id)


def has_words(tokenizer: PieceTokenizer) -> bool:
    """Does the tokenizer number the words of a text? One that does not split at spaces has a single word."""
    return len(set(tokenizer.backend.encode("a b", add_special_tokens=False).word_ids)) > 1
