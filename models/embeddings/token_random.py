"""The control for EELBERT's hash: a random vector for each whole token, so that similar words get unrelated ones.

Its score shows how much an encoder learns without a word table and without reading letters.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

from models.embeddings.base import Tokens
from models.embeddings.hash import Hash
from models.embeddings.ngrams import random_vectors


class TokenRandom(Hash):
    """The embedding. Its options are those of conf/model/embedding/token_random.yaml."""

    def __init__(self, vocab_size: int, hidden: int, pad_id: int, tokens: Tokens | None, **options: Any) -> None:
        super().__init__(vocab_size, hidden, pad_id, tokens, ngrams=1, marker="keep", **options)

    def compute(self, letters: Tensor, multipliers: Tensor) -> Tensor:
        """Hash the whole token instead of its n-grams."""
        return random_vectors(letters, multipliers, self.buckets)
