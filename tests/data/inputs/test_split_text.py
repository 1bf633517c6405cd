"""A text as words with their places."""

from __future__ import annotations

import pytest

from data.inputs.split_text import find_words, split_bare, split_words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Dr. Smith paid $3.14!", ["Dr", ".", "Smith", "paid", "$", "3.14", "!"]),
        ("it's the U.S. e-mail", ["it's", "the", "U.S", ".", "e-mail"]),
        ("@paulwalk #tag a@b.org", ["@paulwalk", "#tag", "a@b.org"]),
        ("İstanbul'da  ışık\n", ["İstanbul'da", "ışık"]),
        ("  \n", []),
        ("...", [".", ".", "."]),
        ("I ❤\ufe0f it 1\ufe0f\u20e3 👩\u200d👧!", ["I", "❤\ufe0f", "it", "1\ufe0f\u20e3", "👩\u200d", "👧", "!"]),
        ("Cafe\u0301 हिन्दी, می\u200cخواهم.", ["Cafe\u0301", "हिन्दी", ",", "می\u200cخواهم", "."]),
    ],
)
def test_words_and_signs(text: str, expected: list[str]) -> None:
    words, places = split_words(text)
    assert words == expected
    assert [text[start:end] for start, end in places] == words


def test_words_given_apart_are_found_in_order() -> None:
    assert find_words("a ab a", ["a", "ab", "", "a"]).tolist() == [[0, 1], [2, 4], [4, 4], [5, 6]]


def test_words_without_marks_and_capitals() -> None:
    text = '"Hayır," dedi IŞIK... İzmir\'de mi?'
    words, places = split_bare(text, "tr")
    assert words == ["hayır", "dedi", "ışık", "izmir'de", "mi"]
    assert [text[start:end] for start, end in places] == ["Hayır", "dedi", "IŞIK", "İzmir'de", "mi"]
    assert split_bare(" ?! ", "en")[0] == []
