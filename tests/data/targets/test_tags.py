"""Tags as the labels of rows of words: their columns, windows, what the user is told, and batches."""

from __future__ import annotations

import numpy as np
import pytest

from data.batch import collate
from data.inputs.tokenizer import Tokenizer, train_tokenizer
from data.inputs.word_cache import Encoded
from data.labels import Labels
from data.settings import DataSettings
from data.targets.masked_words import UNCUT
from data.targets.tags import Tags
from tests.data.helpers import split_of_words

ROWS = [["one", "two", ""], ["three"] * 12]


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return train_tokenizer([" ".join(row) for row in ROWS] * 4, 60)


def test_names_of_two_labels_are_cut_where_the_second_begins() -> None:
    target = Tags(("O", "X", "second_O", "Y", "Z"), (2, 3))
    assert target.tags == [("O", "X"), ("O", "Y", "Z")]
    assert Tags(("O", "X")).tags == [("O", "X")]


def test_rows_are_stored_whole_with_the_places_of_their_words() -> None:
    assert Tags().longest(8) == UNCUT
    places = np.array([1, 2, -1], np.int32)
    encoded = Encoded(np.zeros(4, np.int64), np.array([4]), np.array([4]), 0, places)
    labels = Tags().align(Labels(np.zeros(3, np.int64), np.array([0, 3])), encoded)
    assert labels.places is places


def test_long_rows_become_windows_and_that_is_said(tokenizer: Tokenizer) -> None:
    split, settings = split_of_words(tokenizer, ROWS), DataSettings(max_length=8)
    found = Tags().arrange(split, settings)
    assert found.parts is not None
    assert found.parts[1] == 1
    assert Tags().notes_on(found, settings) == [
        "1 train rows are longer than data.max_length=8 and were split into windows, which overlap"
    ]
    assert Tags().notes_on(split, settings) == []


def test_without_windows_lost_words_are_said(tokenizer: Tokenizer) -> None:
    settings = DataSettings(max_length=8, windows=False)
    found = Tags().arrange(split_of_words(tokenizer, ROWS), settings)
    notes = Tags().notes_on(found, settings)
    assert len(notes) == 1
    assert "of 15 train words are beyond data.max_length=8" in notes[0]


def test_a_batch_has_the_labels_of_words_with_a_token(tokenizer: Tokenizer) -> None:
    batch = collate(split_of_words(tokenizer, ROWS), np.array([0]))
    assert batch.targets["labels"].tolist() == [0, 1]
    assert len(batch.inputs["places"]) == 2
