"""Character n-grams in a bundle: those of the tokenizer, and lengths that are refused."""

from __future__ import annotations

import numpy as np
import pytest

from data.inputs.character_grams import CharacterGrams as OfTokenizer
from runner.deploy.bundle.characters import CharacterGrams

WORDS = ["good", "a", "naïve", "日本語", "x" * 50, "!", "не"]


def test_a_bundle_hashes_as_the_tokenizer_does() -> None:
    wanted, found = OfTokenizer(1, 5), CharacterGrams(1, 5)
    hashes, counts = wanted.of_rows([WORDS])
    assert len(hashes) == counts and hashes.tolist() == sorted(set(np.concatenate(found.of_words(WORDS)).tolist()))


@pytest.mark.parametrize("lengths", [(0, 2), (3, 2), (1, 1 << 30)])
def test_impossible_lengths_are_refused(lengths: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="character n-grams of"):
        CharacterGrams(*lengths)
