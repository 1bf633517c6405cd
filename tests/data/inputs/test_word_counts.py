"""Words that are counted once are what a trainer of vocabularies sees in the texts."""

from __future__ import annotations

from collections import Counter

from data.inputs import word_counts
from data.inputs.tokenizer import train_tokenizer
from data.inputs.word_counts import count_letters, count_words, normalised, repeated

TEXTS = [
    "The film  isn't (very) GOOD.", "", " ", "naïve U\u0308nder \u0301starts", "日本語の本 を読む", "a\tb line\nbreak",
    "zero\u200bwidth ctrl\x07here nbsp\u00a0glued \u3000", "ΣΟΦΟΣ straße İstanbul", "emoji😀😀 0.5% --", "the the The",
]  # fmt: skip


def test_counted_words_have_the_letters_and_the_words_of_the_texts() -> None:
    backend = train_tokenizer(TEXTS * 3, 300).backend
    letters, words = Counter[str](), Counter[str]()
    for text in TEXTS:
        normal = backend.normalizer.normalize_str(text)
        letters.update(normal)
        words.update(word for word, _ in backend.pre_tokenizer.pre_tokenize_str(normal))
    found = normalised(count_words(TEXTS), backend.normalizer)
    assert count_letters(found) == +letters
    again = Counter(word for text in repeated(found) for word, _ in backend.pre_tokenizer.pre_tokenize_str(text))
    assert again == words and words["the"] == 4


def test_no_text_of_repeated_words_is_long() -> None:
    assert [len(text) for text in repeated(Counter({"ab": 2 * word_counts.MOST_COPIES + 1}))] == [3000, 3000, 3]
