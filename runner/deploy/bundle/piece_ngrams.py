"""A linear model over n-grams whose words are the pieces of a vocabulary, added to a model of word vectors.

Imported by bag.py where the header of a file has `ngrams`.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

if __package__:
    from .predict import TOKEN, TOKEN_FACTOR, Ngram
else:  # copied into a bundle
    from predict import TOKEN, TOKEN_FACTOR, Ngram  # type: ignore[import-not-found,no-redef]

NGRAMS = "ngram_"  # what the names of their arrays begin with


class PieceNgrams(Ngram):
    """Scores the pieces of a text, or of a pair of texts."""

    def __init__(self, header: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        """header, arrays: of the whole file. Raises ValueError for arrays that do not fit."""
        own = {name.removeprefix(NGRAMS): array for name, array in arrays.items() if name.startswith(NGRAMS)}
        same = {name: header[name] for name in ("labels", "temperature")}
        super().__init__({"lower": False, "token": TOKEN} | header["ngrams"] | same, own)
        pieces = arrays["pieces"].tobytes().split(b"\n")
        self.hashes = np.array([(zlib.crc32(piece) + 1) & 0xFFFFFFFF for piece in pieces], np.uint32)
        special = {piece.encode() for piece in header["pieces"]["special"]}
        self.hashes[[place for place, piece in enumerate(pieces) if piece in special]] = 0
        if bool(self.pairs) != (header.get("texts") == 2) or len(self.scale) not in (1, len(header["labels"])):
            raise ValueError("its n-grams do not answer for these texts and labels")

    def added_to(self, scores: list[float], *texts: list[int]) -> list[float]:
        """Return the sums of other logits and those of a text or two, given the ids of their pieces."""
        return [score + more for score, more in zip(scores, self.logits_of(*texts))]

    def logits_of(self, *texts: list[int]) -> list[float]:
        """Return the logits of a text or two, given the ids of their pieces; special ones are no words."""
        words = [self.words_of(ids) for ids in texts]
        if self.pairs:
            return self.logits(self.find(self.pair_features.pair_hashes(*words, self.grams, **self.pairs)))
        return self.logits(self.find(self.grams_of(*words)))

    def words_of(self, ids: list[int]) -> np.ndarray:
        """Return the hashes of the words among pieces, uint32."""
        hashes: np.ndarray = self.hashes[np.array(ids, np.intp)]
        return hashes[hashes != 0]

    def grams_of(self, words: np.ndarray) -> np.ndarray:
        """Return the hashes of all n-grams of words, uint32."""
        parts = [words]
        for length in range(1, self.grams):
            parts.append(parts[-1][:-1] * TOKEN_FACTOR + words[length:])
        return np.concatenate(parts)
