"""How often the space-separated words of texts occur, normalised once each: most words of a text repeat earlier ones.

    words = normalised(count_words(texts), backend.normalizer)
    backend.train_from_iterator(repeated(words), trainer)    # on a backend without a normaliser

BERT's normaliser and pre-tokeniser never look across a space, so a trainer sees the same words as in the texts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers.normalizers import Normalizer

MOST_COPIES = 1000  # of a word in one text of `repeated`, so that no text is long


def count_words(texts: Iterable[str]) -> Counter[str]:
    """Return how often each word occurs; the spaces between words are counted too, as " "."""
    found = Counter[str]()
    rows = 0
    for text in texts:
        found.update(text.split(" "))
        rows += 1
    return +(found + Counter({" ": found.total() - rows}))  # + drops a count of 0


def normalised(words: Counter[str], normalizer: Normalizer) -> Counter[str]:
    """Return how often each normalised word occurs."""
    found = Counter({" ": words[" "]}) if words[" "] else Counter[str]()
    for word, count in words.items():
        if word != " ":
            found[normalizer.normalize_str(word)] += count
    return found


def count_letters(words: Counter[str]) -> Counter[str]:
    """Return how often each character occurs in words that occur so often."""
    letters = Counter[str]()
    for word, count in words.items():
        for letter in word:
            letters[letter] += count
    return letters


def repeated(words: Counter[str]) -> Iterator[str]:
    """Yield texts in which each word occurs as often as counted."""
    for word, count in words.items():
        for start in range(0, count, MOST_COPIES):
            yield f"{word} " * min(MOST_COPIES, count - start)
