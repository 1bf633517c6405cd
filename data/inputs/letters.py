"""The letters that a trained vocabulary has; a word with any other letter becomes [UNK]."""

from __future__ import annotations

import unicodedata
from collections import Counter

MOST_LETTERS = 1000  # as in BERT's own vocabulary
MOST_IDEOGRAPHS = 8000  # Chinese newspapers use about 5,000 different ones
SHARE_OF_IDEOGRAPHS = 0.01  # above this share of a text's letters, a vocabulary may exceed MOST_LETTERS
VOWEL_SIGNS = ((0x0900, 0x109F), (0x1780, 0x17FF))  # in the scripts of South and South-East Asia
SHARE_OF_SIGNS = 0.01  # above this share of a text's characters, a vocabulary keeps accents and other marks
ROOM = 0.9  # the share of a vocabulary that ideographs may take; the rest is for pieces of other words
IDEOGRAPHS = (  # BERT treats each of these as a separate word
    (0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F), (0x2B740, 0x2B81F), (0x2B920, 0x2CEAF),
    (0xF900, 0xFAFF), (0x2F800, 0x2FA1F),
)  # fmt: skip


def is_ideograph(letter: str) -> bool:
    """Return whether this is a Chinese character, which BERT treats as a separate word."""
    return letter > "\u33ff" and any(first <= ord(letter) <= last for first, last in IDEOGRAPHS)


def has_vowel_signs(counts: Counter[str]) -> bool:
    """Return whether a text, by the counts of its characters, is in a script that writes vowels as marks, as Hindi is.

    BERT's rules drop these marks as accents, and different words become one.
    """
    signs = (one for one in counts if any(first <= ord(one) <= last for first, last in VOWEL_SIGNS))
    marks = sum(counts[one] for one in signs if unicodedata.category(one) == "Mn")
    return marks > SHARE_OF_SIGNS * counts.total()


def most_frequent(counts: Counter[str], room: int) -> tuple[list[str], list[str]]:
    """Return the letters of a vocabulary, the most frequent first, and those of them that can occur inside words.

    counts: of all characters; room: how many tokens the vocabulary can hold. For Chinese texts as many characters are
    included as there is room for, because none of them can be composed from pieces.
    """
    ordered = sorted(counts, key=lambda letter: (-counts[letter], letter))
    letters = [letter for letter in ordered[:MOST_LETTERS] if not letter.isspace()]
    of_chinese = sum(count for letter, count in counts.items() if is_ideograph(letter))
    if len(ordered) <= MOST_LETTERS or of_chinese < SHARE_OF_IDEOGRAPHS * counts.total():
        return letters, letters
    inner = [letter for letter in letters if not is_ideograph(letter)]
    most = max(0, min(MOST_IDEOGRAPHS, int(ROOM * room) - 2 * len(inner)))
    kept = {letter for letter in [one for one in ordered if is_ideograph(one)][:most] if counts[letter] > 1}
    chosen = kept.union(inner)
    return [letter for letter in ordered if letter in chosen], inner
