"""The first sentence of a text."""

from __future__ import annotations

import pytest

from runner.tasks.span_baselines import first_sentence


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("One. Two.", "One."),
        (" It costs 3.50 euros! (Or more.) ", "It costs 3.50 euros!"),
        ("no end at all", "no end at all"),
        ('He said "no." Then he left.', 'He said "no."'),
        ("\u4e00\u4e8c\u3002\u4e09", "\u4e00\u4e8c\u3002"),
        ("a title\nThe text.", "a title"),
        ("", ""),
    ],
)
def test_the_first_sentence_of_a_text(text: str, sentence: str) -> None:
    assert first_sentence(text) == sentence
