"""N-grams of the pieces of a single text, by hand; those of two texts are in test_pair.py."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from models.packed.elias_fano import encode
from runner.deploy.bundle.bag import Bag
from runner.deploy.bundle.pairs import word
from runner.deploy.bundle.piece_ngrams import PieceNgrams
from tests.runner.deploy.bundle.test_pair import HEADER, arrays


def file_of(**changes: Any) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The header and arrays of a file: `one` counts 20 for the first class, `one two` 30 for the last."""
    hashes = [word("one"), word("one") * 0x85EBCA6B + word("two")]
    prints = np.array([(found * 0x9E3779B1 & 0xFFFFFFFF) >> 16 for found in hashes], np.uint32)
    order = np.argsort(prints)
    code = encode(prints[order], 16)
    own = {
        "ngram_scale": np.full(3, 0.1, np.float32), "ngram_bias": np.array([0, 4, 0], np.float32),
        "ngram_high": code.high, "ngram_low": code.low,
        "ngram_rows": np.array([[20, 0], [0, 0], [0, 30]], np.int8)[:, order],
    }  # fmt: skip
    header = {name: value for name, value in HEADER.items() if name != "texts"}
    entry = {"bits": 16, "count": 2, "grams": 2, "low": code.low_bits}
    words = np.array([[9, 9, 9], [1, 0, 0], [0, 2, 0], [0, 0, 3]], np.float32)
    of_words = {"words": words, "places": np.zeros((8, 3), np.float32), "segments": np.zeros((1, 3), np.float32)}
    found = {name: array for name, array in arrays(**of_words, **own).items() if name != "head"}
    return header | {"ngrams": entry} | changes, found


def test_the_ngrams_of_a_text_are_added_over_the_temperature() -> None:
    model = Bag(*file_of())
    assert model.score("red") == pytest.approx([0, 4 / 2, 3 / 2])
    assert model.score("one red") == pytest.approx([(1 / 2 + 2) / 2, 4 / 2, 3 / 2 / 2])
    assert model.score("one two") == pytest.approx([(1 / 2 + 2) / 2, (2 / 2 + 4) / 2, 3.0 / 2])
    assert model.score("") == pytest.approx([0, 4 / 2, 0])


def test_special_pieces_are_no_words() -> None:
    header, found = file_of()
    header["pieces"] = header["pieces"] | {"special": ["red"]}
    assert PieceNgrams(header, found).logits_of([1, 3, 2]) == pytest.approx([2.0 / 2, 4 / 2, 3.0 / 2])


def test_ngrams_of_other_texts_than_the_file_are_refused() -> None:
    with pytest.raises(ValueError, match="do not answer for these texts and labels"):
        PieceNgrams(*file_of(texts=2))
