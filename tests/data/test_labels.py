"""Labels of rows: items, and the outputs that answer them."""

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
