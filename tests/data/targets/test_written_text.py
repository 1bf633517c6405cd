"""Words, marks and capitals of written text: the two sets of labels on English and Turkish, and the way back."""

from __future__ import annotations

import pytest

from data.targets.written_text import (
    FOUR,
    NINE,
    LabelSet,
    are_cases,
    are_marks,
    case_of,
    leaks,
    lower_case,
    read_written,
    restore,
    upper_case,
)

ENGLISH = 'Dr. Smith asked, "Is IBM in the U.S.?" McDonald said no; it\'s 3.14!'
TURKISH = "İstanbul'da IŞIK var mı? Hayır, İZMİR'de."
CASES: list[tuple[str, LabelSet, str, str]] = [
    (
        ENGLISH, FOUR, "en",
        "dr PERIOD CAP, smith O CAP, asked COMMA LOWER, is O CAP, ibm O UPPER, in O LOWER, the O LOWER, "
        "u.s QUESTION UPPER, mcdonald O MIXED, said O LOWER, no COMMA LOWER, it's O LOWER, 3.14 PERIOD LOWER",
    ),
    (
        TURKISH, FOUR, "tr",
        "istanbul'da O CAP, ışık O UPPER, var O LOWER, mı QUESTION LOWER, hayır COMMA CAP, izmir'de PERIOD MIXED",
    ),
    (
        TURKISH, NINE, "tr",
        "istanbul ' one, da non non, ışık non cap, var non non, mı ? non, hayır , one, izmir ' cap, de . non",
    ),
    (
        "It's 3.14, isn't it?", NINE, "en",
        "it ' one, s non non, 3.14 , non, isn ' non, t non non, it ? non",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "labels", "language", "expected"), CASES)
def test_golden_words_marks_and_cases(text: str, labels: LabelSet, language: str, expected: str) -> None:
    assert ", ".join(" ".join(parts) for parts in zip(*read_written(text, labels, language))) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("who?!", ["QUESTION"]),
        ("etc.,", ["COMMA"]),
        ("end ! here", ["PERIOD", "O"]),
        ("end, . here", ["COMMA", "O"]),
        ("? begin", ["O"]),
        ("one - two", ["O", "O"]),
        ("(yes), [no].", ["COMMA", "PERIOD"]),
        ("...", []),
    ],
)
def test_of_several_marks_after_a_word_the_last_one_or_a_question_mark_counts(text: str, expected: list[str]) -> None:
    assert read_written(text).marks == expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [("A", "CAP"), ("Ab", "CAP"), ("AB", "UPPER"), ("aB", "MIXED"), ("3.14", "LOWER"), ("U.S", "UPPER"), ("", "LOWER")],
)
def test_words_have_the_case_labels_of_their_letters(word: str, expected: str) -> None:
    assert case_of(word) == expected


def test_three_cases_have_no_mixed_one() -> None:
    assert [case_of(word, NINE) for word in ("McDonald", "iPhone", "I", "II")] == ["one", "non", "one", "cap"]


def test_turkish_has_two_letters_i() -> None:
    assert lower_case("IŞIK İZMİR", "tr") == "ışık izmir"
    assert lower_case("I", "en") == "i"
    assert upper_case("ışık izmir", "tr") == "IŞIK İZMİR"
    assert lower_case("I\u0307stanbul", "tr") == "istanbul", "a dot that is a character of its own"
    assert lower_case(lower_case("İI", "tr"), "tr") == "iı"


@pytest.mark.parametrize(
    ("words", "seen"),
    [(["it's", "3.14", "u.s"], None), (["Hello"], "capital"), (["hello", "you?"], "mark"), (["ışık", ""], None)],
)  # fmt: skip
def test_words_that_show_what_is_to_be_restored(words: list[str], seen: str | None) -> None:
    found = leaks(words, "tr")
    assert (found is None) == (seen is None)
    assert seen is None or seen in str(found)


def test_the_written_text_comes_back() -> None:
    text = "İstanbul'da IŞIK var mı? Hayır, izmirde."
    assert restore(*read_written(text, FOUR, "tr"), "tr") == text
    text = "It's 3.14, isn't it? Half-done!"
    assert restore(*read_written(text, NINE)) == text
    assert restore(["ab", "cd"], ["O", "PERIOD"], ["MIXED", "UPPER"]) == "ab CD."
    assert restore([], [], []) == ""


def test_tags_of_punctuation_and_of_case_are_recognised() -> None:
    assert are_marks(("O", "COMMA", "PERIOD", "QUESTION"))
    assert are_marks(("non", ".", ","))
    assert not are_marks(("O", "B-PER"))
    assert not are_marks(("O",))
    assert are_cases(("LOWER", "CAP", "UPPER", "MIXED"))
    assert are_cases(("non", "one", "cap"))
    assert not are_cases(("O", "COMMA"))
