"""N-grams as numbers: the fingerprints of the format's golden file, rows, and sums over different n-grams."""

from __future__ import annotations

import zlib

import numpy as np

from models.ngrams.fingerprints import bits_for, find_grams, fingerprints_of, sum_rows
from tests.models.packed.golden import PRINTS


def words(*texts: str) -> tuple[np.ndarray, np.ndarray]:
    """The hashes of the words of texts, and their rows."""
    tokens = [(zlib.crc32(word.encode()) + 1, row) for row, text in enumerate(texts) for word in text.split()]
    found = np.array(tokens, np.uint64).reshape(-1, 2)
    return found[:, 0].astype(np.uint32), found[:, 1].astype(np.int64)


def test_fingerprints_are_those_of_the_golden_file() -> None:
    grams = find_grams(*words("good bad not !", "not good", "not bad"), 2)
    assert set(PRINTS.tolist()) <= set(grams.prints(16).tolist())
    whole = find_grams(*words("good", "not bad"), 2).prints(32)
    assert 741527203 in whole and 2199550446 in whole


def test_no_ngram_spans_two_rows_and_padding_is_no_word() -> None:
    hashed, rows = words("a b c", "d")
    grams = find_grams(hashed, rows, 3)
    assert np.bincount(grams.rows).tolist() == [6, 1]
    padded = find_grams(np.insert(hashed, [0, 3, 4], 0), np.array([0, 0, 0, 0, 1, 1, 1]), 3)
    assert padded.hashes.tolist() == grams.hashes.tolist() and padded.rows.tolist() == grams.rows.tolist()
    assert len(find_grams(np.zeros(2, np.uint32), np.arange(2), 2).hashes) == 0


def test_each_ngram_counts_once_in_a_text() -> None:
    table = np.array([[1, -1], [10, 3], [100, 127]], np.int8)
    prints = np.array([5, 7, 9])
    found, rows = np.array([7, 7, 9, 4, 11, 5]), np.array([0, 0, 0, 1, 1, 3])
    assert sum_rows(prints, table, found, rows, 4).tolist() == [[110, 130], [0, 0], [0, 0], [1, -1]]
    assert sum_rows(prints[:0], table[:0], found, rows, 2).tolist() == [[0, 0], [0, 0]]


def test_fingerprints_have_ten_bits_more_than_they_need() -> None:
    assert [bits_for(count) for count in (0, 1, 2, 1024, 1025, 40_000, 1 << 30)] == [10, 10, 11, 20, 21, 26, 32]
    hashes = np.random.default_rng(0).integers(0, 1 << 32, 100, np.uint32)
    assert np.array_equal(fingerprints_of(hashes, 26), fingerprints_of(hashes, 32) >> 6)
