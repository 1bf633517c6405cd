"""The control without letters: similar words have unrelated vectors of the same size."""

from __future__ import annotations

import pytest
import torch

from models.embeddings.ngrams import encode_letters, hash_multipliers, random_vectors
from tests.models.embeddings.test_hash import CONTROL, hashed, words_of

SOME = ["play", "played", "playing", "##ing", "zebra"]


def test_similar_words_have_unrelated_vectors() -> None:
    letters = torch.from_numpy(encode_letters(SOME, "keep")).long()
    control = random_vectors(letters, hash_multipliers(128, 1729), 1_000_003)
    assert abs(torch.cosine_similarity(control[0], control[1], 0).item()) < 0.3
    assert control.std().item() == pytest.approx(0.16, abs=0.01)
    model = hashed(embedding=CONTROL, hidden=128, heads=2)
    assert torch.equal(words_of(model)(torch.tensor([5, 6])), control[:2] / 4)


def test_the_vectors_do_not_depend_on_the_seed_of_a_run() -> None:
    ids = torch.tensor([5, 6, 7])
    first, second = (words_of(hashed(seed, embedding=CONTROL))(ids) for seed in (0, 1))
    assert torch.equal(first, second)
