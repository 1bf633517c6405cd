"""Varied copies of texts: which words may change, what stays, and that the same seed makes the same copies."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from data.batch import Batch
from data.errors import DataError
from data.load import load_splits
from data.settings import DataSettings
from data.splits import Splits, TokenSplit
from data.stores.build_once import SharedCache
from data.stores.replaced_words import Recipe, open_replaced_words, replaceable_tokens, word_positions

RECIPE = Recipe(copies=6, share=0.5, words=3, seed=0)


@pytest.fixture
def splits(reviews: Path, tmp_path: Path) -> Splits:
    settings = DataSettings(source="files", path=str(reviews), text="review", label="stars")
    return load_splits(settings, tokenizer="train", vocab_size=120, cache=tmp_path / "cache")


class Guess:
    """Stands for a masked-word model that finds three words probable everywhere, and counts what it is asked."""

    def __init__(self, splits: Splits) -> None:
        tokens = splits.tokenizer.tokens()
        self.words, self.mask = [tokens.index(word) for word in ("fine", "poor", "film")], tokens.index("[MASK]")
        self.asked = 0

    def __call__(self, batch: Batch) -> np.ndarray:
        assert ((batch.inputs["input_ids"] == self.mask).sum(1) == 1).all(), "one word is masked in each"
        assert (
            batch.inputs["input_ids"].reshape(-1)[batch.inputs["places"]] == self.mask
        ).all() and self.mask not in batch.targets["labels"]
        self.asked += len(batch.inputs["places"])
        return np.tile(self.words, (len(batch.inputs["places"]), 1))


def rows_of(split: TokenSplit) -> list[list[int]]:
    tokens, offsets = np.asarray(split.tokens), split.offsets
    return [tokens[start:end].tolist() for start, end in pairwise(offsets)]


def copies_of(splits: Splits, guess: Guess, cache: SharedCache, seed: int = RECIPE.seed) -> TokenSplit:
    return open_replaced_words(splits.train, splits.tokenizer, replace(RECIPE, seed=seed), "a model", guess, cache)


def test_words_of_one_piece_change_and_everything_else_stays(splits: Splits, tmp_path: Path) -> None:
    guess = Guess(splits)
    found = copies_of(splits, guess, SharedCache(tmp_path))
    words, continues = replaceable_tokens(splits.tokenizer)
    originals, made = rows_of(splits.train), rows_of(found)
    assert len(originals) < len(made) <= RECIPE.copies * len(originals)
    assert len(found.labels) == len(found.segment_starts) == len(made) and not found.labels.values.any()
    frames = {kept(np.array(row), words, continues) for row in originals}
    for row in made:
        assert kept(np.array(row), words, continues) in frames, "pieces, numbers and signs stay"
        assert row not in originals and set(row) & set(guess.words)


def kept(row: np.ndarray, words: np.ndarray, continues: np.ndarray) -> tuple[tuple[int, int], ...]:
    """The length of a row, and what of it is not to change, with its places."""
    places = np.setdiff1d(np.arange(len(row)), word_positions(row, words, continues))
    return (len(row), 0), *((int(place), int(row[place])) for place in places)


def test_a_word_of_several_pieces_is_no_place(splits: Splits) -> None:
    words, continues = np.array([True, True, False, False]), np.array([False, False, True, False])
    assert word_positions(np.array([3, 0, 1, 2, 2, 0, 3]), words, continues).tolist() == [1, 5]
    tokens = splits.tokenizer.tokens()
    words, continues = replaceable_tokens(splits.tokenizer)
    assert words[tokens.index("film")] and not words[tokens.index("[CLS]")] and not words[tokens.index(",")]
    assert continues[[token.startswith("##") for token in tokens]].all()


def test_copies_are_made_once_and_depend_only_on_the_seed(splits: Splits, tmp_path: Path) -> None:
    guess = Guess(splits)
    first = copies_of(splits, guess, SharedCache(tmp_path))
    asked = guess.asked
    again = copies_of(splits, guess, SharedCache(tmp_path))
    assert guess.asked == asked and rows_of(again) == rows_of(first)
    elsewhere = copies_of(splits, guess, SharedCache(tmp_path / "elsewhere"))
    assert rows_of(elsewhere) == rows_of(first) and guess.asked == 2 * asked
    other = copies_of(splits, guess, SharedCache(tmp_path), seed=1)
    assert rows_of(other) != rows_of(first)


def test_damaged_copies_are_made_again(splits: Splits, tmp_path: Path) -> None:
    guess, said = Guess(splits), list[str]()
    first = rows_of(copies_of(splits, guess, SharedCache(tmp_path)))
    (path,) = tmp_path.glob("augmented/*/tokens")
    path.write_bytes(path.read_bytes()[:-2] + b"xx")
    assert rows_of(copies_of(splits, guess, SharedCache(tmp_path, said.append))) == first
    assert "damaged" in said[0]


def test_texts_without_words_cannot_be_varied(splits: Splits, tmp_path: Path) -> None:
    split = splits.train
    numbers = np.full_like(np.asarray(split.tokens), splits.tokenizer.tokens().index(","))
    split.tokens = numbers
    with pytest.raises(DataError, match="no word of the 97 train texts can be replaced"):
        open_replaced_words(split, splits.tokenizer, RECIPE, "a model", Guess(splits), SharedCache(tmp_path))
    assert not list(tmp_path.glob("augmented/*/meta.json"))
