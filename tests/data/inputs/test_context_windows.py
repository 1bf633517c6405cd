"""How much of a question is read, how far windows are apart, and which characters a part of a text has."""

from __future__ import annotations

import pytest

from data.inputs.context_windows import context_windows, longest_question, trimmed, window_step

# Context pieces, and the windows under each of the two meanings of a stride of 128 in a room of 369.
STRIDES = {
    300: ([(0, 300)], [(0, 300)]),
    369: ([(0, 369)], [(0, 369)]),
    500: ([(0, 369), (128, 497), (256, 500)], [(0, 369), (241, 500)]),
}


@pytest.mark.parametrize("tokens", STRIDES)
def test_context_windows_under_both_meanings_of_a_stride(tokens: int) -> None:
    as_step, as_overlap = STRIDES[tokens]
    assert context_windows(tokens, 369, 128) == as_step
    assert context_windows(tokens, 369, 369 - 128) == as_overlap


def test_counts_of_context_windows() -> None:
    counts = {tokens: (len(context_windows(tokens, 369, 128)), len(context_windows(tokens, 369, 241))) for tokens in
              (300, 369, 370, 1000)}  # fmt: skip
    assert counts == {300: (1, 1), 369: (1, 1), 370: (2, 2), 1000: (6, 4)}


def test_windows_share_what_was_asked_or_a_third() -> None:
    assert [window_step(30, overlap) for overlap in (None, 0, 6, 29, 30, 99)] == [20, 30, 24, 1, 20, 20]


def test_a_question_takes_at_most_half_of_a_row() -> None:
    assert [longest_question(length, 3) for length in (384, 131, 130, 24, 5)] == [64, 64, 63, 10, 1]


def test_a_part_of_a_text_loses_white_space_and_keeps_the_accents_of_its_end() -> None:
    text = "a  e\u0301te\u0301 b"
    assert trimmed(text, 1, 7) == (3, 8) and text[3:8] == "e\u0301te\u0301"
    assert trimmed(text, 1, 2) == (2, 2) and trimmed("", 0, 0) == (0, 0)
