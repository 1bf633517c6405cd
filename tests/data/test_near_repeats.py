"""Near repeats: exact similarities, the share of pairs that are found, and unrelated texts."""

from __future__ import annotations

import numpy as np
import pytest

from data.near_repeats import NearPairs, grams_of, jaccard, near_pairs, plain_texts, signatures

LETTERS = np.array(list("abcdefghijklmnopqrstuvwxyz"))
WARM = "the film is a warm and funny look at love"


def random_texts(count: int, words: int, seed: int = 0) -> list[str]:
    """Texts of random words, which have little in common."""
    draw = np.random.default_rng(seed)
    known = ["".join(draw.choice(LETTERS, draw.integers(2, 9))) for _ in range(4000)]
    return [" ".join(draw.choice(known, words)) for _ in range(count)]


def test_one_replaced_word_leaves_29_of_45_groups_of_five_characters() -> None:
    assert jaccard(WARM, WARM.replace("funny", "silly")) == pytest.approx(29 / 45, abs=1e-12)


def test_plain_texts_keep_letters_marks_and_digits() -> None:
    given = ["  Ein -- Gru\u0308N & №3!", "ﬁlm", "हिन्दी_पाठ", "!?"]
    assert plain_texts(given) == ["ein grün no3", "film", "हिन्दी पाठ", ""]


def test_a_text_shorter_than_a_gram_is_its_own_and_an_empty_one_has_none() -> None:
    assert grams_of("abc") == {"abc"}
    assert grams_of("") == frozenset()
    assert jaccard("", "") == 0.0
    assert (jaccard("abc", "abc"), jaccard("abc", "abd")) == (1.0, 0.0)


def test_signatures_agree_as_often_as_the_similarity_says() -> None:
    draw, differences = np.random.default_rng(1), []
    for text, new in zip(random_texts(200, 30), random_texts(200, 1, seed=3)):
        words = text.split()
        words[draw.integers(30)] = new  # another one each time: the permutations are the same for all texts
        other = " ".join(words)
        marks = signatures([text, other])
        differences.append(float((marks[0] == marks[1]).mean()) - jaccard(text, other))
    assert abs(np.mean(differences)) < 0.01  # standard error 0.0025
    assert np.std(differences) < 0.05  # binomial: 0.035


def test_signatures_do_not_depend_on_the_other_texts() -> None:
    texts = random_texts(50, 12)
    whole = signatures(["", *texts, "ab"])
    assert np.array_equal(whole[1:-1], np.concatenate([signatures([text]) for text in texts]))
    assert (whole[0] == np.iinfo(np.uint32).max).all()


def test_copies_with_one_other_word_are_found_among_unrelated_texts() -> None:
    texts, draw = random_texts(2000, 14), np.random.default_rng(2)
    for row in range(300):
        words = texts[row].split()
        words[draw.integers(14)] = "another"
        texts[1000 + row] = " ".join(words)
    near = {row for row in range(300) if jaccard(texts[row], texts[1000 + row]) >= 0.7}
    found = near_pairs(texts)
    assert set(found.second - found.first) == {1000}  # no pair but the planted ones
    assert len(near) > 200
    assert len(found) >= 0.97 * len(near)  # 0.99 are expected of those at 0.7, more of the others
    assert found.similarity.min() >= 0.7
    assert np.all(np.diff(found.similarity) <= 0)


def test_only_pairs_of_the_wanted_rows_are_returned() -> None:
    texts = [*random_texts(20, 14), WARM, WARM + " again", "a far longer text about the weather", WARM]
    assert found_pairs(near_pairs(texts, np.array([21]))) == {(20, 21), (21, 23)}
    assert len(near_pairs(texts, np.array([0]))) == 0
    assert len(near_pairs([], None)) == 0
    assert len(near_pairs(["", ""], None)) == 0


def test_texts_with_lone_surrogates_are_compared() -> None:
    assert len(near_pairs([WARM + "\ud800", WARM + "\ud800", "other"])) == 1


def found_pairs(pairs: NearPairs) -> set[tuple[int, int]]:
    """The row numbers of each pair."""
    return set(zip(pairs.first.tolist(), pairs.second.tolist()))


def test_each_of_many_copies_has_some_pairs_and_not_all() -> None:
    texts = [
        f"your order number {number} was shipped and will arrive in three days, thank you" for number in range(400)
    ]
    found = near_pairs(plain_texts(texts))
    assert len(np.unique(np.concatenate([found.first, found.second]))) == 400
    assert len(found) < 400 * 399 / 10
