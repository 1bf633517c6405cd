"""Interface of word vectors: the attributes that each of them declares."""

from __future__ import annotations

import torch
from torch import nn

from models.embeddings.base import WordVectors, computed_vectors
from models.embeddings.hash import Hash
from tests.models.embeddings.test_hash import hashed
from tests.models.helpers import small


def test_word_vectors_say_nothing_unless_they_override_it() -> None:
    words = WordVectors()
    words.start_from(torch.ones(3, 2))
    assert words.notes() == [] and words.own_spreads() == {}


def test_computed_vectors_are_found_and_tables_are_none() -> None:
    assert isinstance(computed_vectors(hashed()), Hash)
    assert computed_vectors(small()) is None and computed_vectors(nn.Linear(2, 2)) is None
