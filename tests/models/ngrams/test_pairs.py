"""Features of pairs: which words stand where, counts and shares, and pairs whose order means nothing."""

from __future__ import annotations

import numpy as np

from models.ngrams.fingerprints import K1
from models.ngrams.pairs import PairOptions, pair_grams, pair_hashes, step, tenths, word


def words(text: str) -> np.ndarray:
    return np.array([word(part) for part in text.split()], np.uint32)


def feature(text: str) -> int:
    state = 0
    for part in text.split():
        state = (state * int(K1) + word(part)) % 2**32
    return state


def features(first: str, second: str, **options: bool) -> list[int]:
    return sorted(pair_hashes(words(first), words(second), PairOptions(2, **options)).tolist())


def test_features_say_where_a_word_occurs() -> None:
    wanted = ["s cat", "- black", "+ white", "2 white", "2 cat", "2 white cat"]
    steps = [("b", 1), ("a", 0), ("sb", 5), ("sa", 5), ("sp", 0), ("d", 0)]
    found = features("black cat", "white cat")
    assert found == sorted([*map(feature, wanted), *(step(*one) for one in steps)])
    assert step("sb", 5) == feature("L sb 5")
    crossed = features("black cat", "white cat", cross=True)
    assert set(crossed) - set(found) == {feature("x black white")}


def test_without_an_order_swapping_the_texts_changes_nothing() -> None:
    one, two = "a b c d", "c e a b f g"
    assert features(one, two, symmetric=True, cross=True) == features(two, one, symmetric=True, cross=True)
    assert feature("d e") in features(one, two, symmetric=True) and features(one, two) != features(two, one)


def test_empty_texts_and_padding_have_only_counts() -> None:
    nothing = np.zeros(3, np.uint32)
    grams = pair_grams([(nothing, nothing), (words("a"), words("a"))], PairOptions(2))
    assert np.bincount(grams.rows).tolist() == [6, 8]
    assert tenths(0, 0) == 0 and tenths(3, 3) == 10
