"""Labels of rows: one each, or several with their places and the outputs that answer them."""

from __future__ import annotations

import numpy as np

from data.labels import Labels

WORDS = Labels(np.arange(6), np.array([0, 2, 2, 6]), np.array([1, -1, 1, 2, -1, 4], np.int32))


def test_a_row_with_one_label_has_one_output() -> None:
    rows = np.array([2, 0])
    assert Labels(np.arange(3)).outputs(rows).tolist() == [2, 0] and Labels(np.arange(3)).has_output is None


def test_items_that_no_token_answers_have_no_output() -> None:
    assert WORDS.outputs(np.array([0, 1, 2])).tolist() == [0, 1, 2, 3]
    assert WORDS.outputs(np.array([2, 0])).tolist() == [1, 2, 3, 0]
    taken = WORDS.take(np.array([2, 0]))
    assert taken.values.tolist() == [2, 3, 4, 5, 0, 1] and taken.outputs(np.array([1])).tolist() == [3]


def test_rows_that_follow_keep_their_own_items() -> None:
    both = WORDS.followed_by(WORDS.blank(np.array([2])))
    assert len(both) == 4 and both.of(np.array([3])).tolist() == [6, 7, 8, 9]
    assert both.values[6:].tolist() == [0] * 4 and both.outputs(np.array([3])).tolist() == [4, 5, 6]


ONE = Labels(np.array([1.5, 0.0, -0.0, 1.5]))
SEVERAL = Labels(np.array([7, 8, 9, 7, 8]), np.array([0, 2, 2, 3, 5]), np.array([1, 2, -1, 1, 3], np.int32))


def test_rows_have_one_item_or_several() -> None:
    assert (len(ONE), len(SEVERAL)) == (4, 4)
    assert ONE.counts.tolist() == [1, 1, 1, 1] and SEVERAL.counts.tolist() == [2, 0, 1, 2]
    assert ONE.of(np.array([3, 0])).tolist() == [3, 0]
    assert SEVERAL.of(np.array([3, 1, 0, 3])).tolist() == [3, 4, 0, 1, 3, 4]


def test_taking_rows_takes_their_values_and_places() -> None:
    assert ONE.take(np.array([3, 1])).values.tolist() == [1.5, 0.0]
    some = SEVERAL.take(np.array([2, 0]))
    assert some.values.tolist() == [9, 7, 8] and some.offsets is not None and some.offsets.tolist() == [0, 1, 3]
    assert some.places is not None and some.places.tolist() == [-1, 1, 2]


def test_blank_labels_follow_the_known_ones() -> None:
    rows = np.array([0, 2])
    assert ONE.followed_by(ONE.blank(rows)).values.tolist() == [1.5, 0.0, -0.0, 1.5, 0.0, 0.0]
    joined = SEVERAL.followed_by(SEVERAL.blank(rows))
    assert joined.values.tolist() == [7, 8, 9, 7, 8, 0, 0, 0]
    assert joined.offsets is not None and joined.offsets.tolist() == [0, 2, 2, 3, 5, 7, 8]
    assert joined.places is not None and joined.places.tolist() == [1, 2, -1, 1, 3, 1, 2, -1]


def test_rows_with_equal_labels_share_a_key() -> None:
    assert (ONE.keys()[:, None] == ONE.keys()).tolist() == [[a == b for b in ONE.values] for a in ONE.values]
    keys = SEVERAL.keys()
    assert keys[0] == keys[3] and len(np.unique(keys)) == 3, "several labels are compared as a whole"
    pairs = Labels(np.array([[0, 1], [1, 0], [0, 1]])).keys()
    assert pairs[0] == pairs[2] != pairs[1]
    gains = Labels(np.array([[1.0, 0.5, 3.0], [0.0, 0.5, 3.0], [1.0, 0.25, 4.0]])).keys()
    assert gains[0] == gains[2] != gains[1], "of several floats the first is the label"
