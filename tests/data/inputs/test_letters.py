"""Which letters a trained vocabulary has."""

from __future__ import annotations

from collections import Counter

import pytest

from data.inputs.letters import MOST_LETTERS, has_vowel_signs, is_ideograph, most_frequent
from data.inputs.tokenizer import train_tokenizer

CHINESE = [chr(0x4E00 + number) for number in range(3000)]


def test_other_alphabets_have_the_most_frequent_letters() -> None:
    counts = Counter({chr(0x400 + number): 5000 - number for number in range(1500)} | {" ": 10**6})
    letters, inner = most_frequent(counts, 4000)
    assert letters == inner and len(letters) == MOST_LETTERS - 1 and letters[0] == "\u0400"


def test_chinese_gets_the_characters_that_there_is_room_for() -> None:
    counts = Counter(dict.fromkeys(CHINESE, 10) | {"a": 500, "b": 1, chr(0x4E00 + 5000): 1})
    letters, inner = most_frequent(counts, 8000)
    assert set(CHINESE) <= set(letters) and chr(0x4E00 + 5000) not in letters, "one that occurs once teaches nothing"
    assert letters[0] == "a" and inner == ["a"], "a Chinese character is a word of its own, never inside one"
    assert len(most_frequent(counts, 1000)[0]) < 1000


def test_ideographs_are_those_that_bert_splits_at() -> None:
    assert is_ideograph("中") and is_ideograph("\U00020000") and not any(map(is_ideograph, "aı가かЖ,"))


def test_a_chinese_vocabulary_leaves_few_pieces_unknown() -> None:
    texts = ["".join(CHINESE[start : start + 30]) + " ok" for start in range(0, 3000, 30)] * 2
    tokenizer = train_tokenizer(texts, 4096)
    found = tokenizer.encode(texts, None, 64).tokens
    assert (found == tokenizer.backend.token_to_id("[UNK]")).mean() < 0.01 and tokenizer.vocab_size <= 4096


HINDI, THAI = "किताब और किताबें, मैं हूँ और वह है", "ไม่ดี ไม้ดี และ น่าเบื่อ"


@pytest.mark.parametrize(
    ("text", "are_there"),
    [(HINDI, True), (THAI, True), (f"{HINDI} {'an English text ' * 200}", False), ("e\u0301te\u0301 naïve", False),
     ("كَتَبَ", False), ("", False)],
)  # fmt: skip
def test_vowel_signs_are_those_of_hindi_and_thai_but_not_accents(text: str, are_there: bool) -> None:
    assert has_vowel_signs(Counter(text)) == are_there


@pytest.mark.parametrize(("text", "one", "other"), [(HINDI, "किताब", "किताबें"), (THAI, "ไม่ดี", "ไม้ดี")])
def test_words_with_different_vowel_signs_stay_different(text: str, one: str, other: str) -> None:
    tokenizer = train_tokenizer([text] * 9, 200)
    first, second = (tokenizer.encode([word], None, 16).tokens.tolist() for word in (one, other))
    assert first != second and tokenizer.backend.token_to_id("[UNK]") not in [*first, *second]
    assert tokenizer.encode(["AND"], None, 16).tokens.tolist() == tokenizer.encode(["and"], None, 16).tokens.tolist()
