"""Words with their accents, vowel signs and joiners."""

from __future__ import annotations

import re
import sys
import unicodedata

import pytest

from data.inputs.marked_words import MARKED, marked_pattern, pattern_of
from data.inputs.split_text import split_words

TEXTS = ["Cafe\u0301 हिन्दी में", "ที่นี่ดี", "می\u200cخواهم", "I ❤\ufe0f it 1\ufe0f\u20e3 👩\u200d👧"]


@pytest.mark.parametrize("text", TEXTS)
def test_the_words_are_those_of_taggers(text: str) -> None:
    assert pattern_of(MARKED).findall(text) == split_words(text)[0]


def test_without_marks_the_tokens_are_as_before() -> None:
    text = "naïve can't stop—won't 日本語 ١٢٣ a_b 👍🏽 \x85 ﬁ"
    assert marked_pattern().findall(text) == re.findall(r"\w+|[^\w\s]", text)


def test_every_mark_of_unicode_is_known() -> None:
    marks = [sign for sign in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(sign)[0] == "M"]
    assert marked_pattern().findall("a".join(["", *marks])) == ["a".join(["", *marks])]


def test_another_rule_is_refused() -> None:
    with pytest.raises(ValueError, match="split differently than by this reader"):
        pattern_of(r"\S+")
