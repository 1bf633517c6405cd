"""BERT's WordPiece in pure Python: the ids that the `tokenizers` library gives, of one text several times as fast.

    WordPiece({"good": 0, ...}, settings).ids("a lovely film", most=510)

Of the characters that Python 3.11 knows, about 500 that are new in Unicode are read in another way than by
the library, whose tables are older.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from itertools import chain, islice
from typing import Any, Protocol

UNLIMITED = 1 << 30  # pieces of a text
MOST_CACHED = 200_000  # words, about 40 MB; the caches are emptied then
LONGEST_CACHED = 200  # characters
ASCII_WORDS = re.compile(r"[0-9A-Za-z]+|[!-/:-@\[-`{-~]")
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
IDEOGRAPHS = (  # that BERT makes words of their own
    (0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F), (0x2B740, 0x2B81F), (0x2B920, 0x2CEAF),
    (0xF900, 0xFAFF), (0x2F800, 0x2FA1F),
)  # fmt: skip
SPACES, DROPPED = "\t\n\r", "\0\ufffd"
NO_CHARACTERS = ("Cc", "Cf", "Co", "Cs")  # categories of what is removed


class Cache(dict[str, list[int]]):
    """The ids of words seen before."""

    def __init__(self, encode: Callable[[str], list[int]]) -> None:
        super().__init__()
        self.encode = encode

    def __missing__(self, word: str) -> list[int]:
        found = self.encode(word)
        if len(word) <= LONGEST_CACHED:
            if len(self) >= MOST_CACHED:
                self.clear()
            self[word] = found
        return found


class WordPiece:
    """A vocabulary, and BERT's way of cutting texts into its pieces."""

    def __init__(self, known: dict[str, int], settings: dict[str, Any]) -> None:
        """known: the id of each piece; settings: as models/packed/vocabulary.py describes a tokenizer."""
        self.known = known
        ends = [settings["first"], settings["last"]]
        self.first, self.last = ([] if piece is None else [piece] for piece in ends)  # before a text, and after each
        self.ending = len(self.last)
        self.unknown = [self.known[settings["unknown"]]]
        self.prefix, self.longest = settings["prefix"], settings["longest"]
        self.lower, self.strips_accents, self.splits_ideographs = (settings[k] for k in ("lower", "accents", "chinese"))
        self.language = settings.get("language")  # by whose rules texts are lowered first
        self.special = sorted(filter(None, settings["special"]), key=len, reverse=True)  # the longest is found first
        self.find_special = re.compile("(" + "|".join(map(re.escape, self.special)) + ")").split
        self._words, self._parts = Cache(self.pieces_of), Cache(self.ids_of_part)

    def row(self, text: str, pair: str | None, most: int) -> tuple[list[int], int]:
        """At most `most` ids of a text, or of a pair of texts, with special ones, and where the second text begins."""
        if pair is None:
            ids = [*self.first, *self.ids(text, most - len(self.first + self.last)), *self.last]
            return ids, len(ids)
        room = most - len(self.first + self.last + self.last)
        one, other = (self.ids(part, room) for part in (text, pair))
        if len(one) == len(other) == room:  # of an odd room the longer text gets one more
            one, other = (self.ids(part, UNLIMITED) for part in (text, pair))
        kept, left = cut_longest(len(one), len(other), room)
        start = len(self.first) + kept + len(self.last)
        return [*self.first, *one[:kept], *self.last, *other[:left], *self.last], start

    def length(self, text: str, pair: str | None = None) -> int:
        """Return the ids of a text, or of a pair of texts, with special ones, before any are cut."""
        parts = [text] if pair is None else [text, pair]
        return len(self.first) + sum(len(self.ids(part, UNLIMITED)) + len(self.last) for part in parts)

    def ids(self, text: str, most: int) -> list[int]:
        """Return the first `most` ids of a text, without special tokens around it."""
        if len(text) > 8 * most + 100:  # what follows after enough pieces is not read
            end = text.rfind(" ", 0, 8 * most + 100)
            found = self._first_ids(text[:end], most) if end > 0 else []
            if len(found) == most:
                return found
        return self._first_ids(text, most)

    def _first_ids(self, text: str, most: int) -> list[int]:
        for token in self.special:
            if token in text:
                return self._around_special(text, most)
        return list(islice(self._ids(text), most))

    def _around_special(self, text: str, most: int) -> list[int]:
        """Return the ids of a text in which special tokens are written out, which keep their ids."""
        parts = self.find_special(text)
        found = ([self.known[part]] if place % 2 else self._ids(part) for place, part in enumerate(parts))
        return list(islice(chain.from_iterable(found), most))

    def _ids(self, text: str) -> chain[int]:
        if self.language:
            text = lower_turkish(text)
        if text.isascii() and (text.isprintable() or not CONTROL.search(text)):
            words = ASCII_WORDS.findall(text.lower() if self.lower else text)
            return chain.from_iterable(map(self._words.__getitem__, words))
        return chain.from_iterable(map(self._parts.__getitem__, text.split(" ")))

    def ids_of_part(self, text: str) -> list[int]:
        """Return the ids of a text with any characters; what stands between spaces can be read by itself."""
        words = split_words(self.normalise(text))
        return list(chain.from_iterable(map(self._words.__getitem__, words)))

    def normalise(self, text: str) -> str:
        """Return the text normalised as the settings say: cleaned, without accents, in lower case."""
        text = "".join(map(self._clean, text))
        if self.strips_accents:
            letters = unicodedata.normalize("NFD", text)
            text = "".join(letter for letter in letters if unicodedata.category(letter) != "Mn")
        # Letter by letter: of a whole word Python makes a last sigma another one than the library does.
        return "".join(map(str.lower, text)) if self.lower else text

    def _clean(self, letter: str) -> str:
        """Return a space for any space, nothing for a control character, an ideograph between spaces."""
        if letter in SPACES:
            return " "
        category = unicodedata.category(letter)
        if letter in DROPPED or category in NO_CHARACTERS:
            return ""
        if self.splits_ideographs and any(first <= ord(letter) <= last for first, last in IDEOGRAPHS):
            return f" {letter} "
        return " " if category == "Zs" else letter

    def pieces_of(self, word: str) -> list[int]:
        """Return the longest pieces of a word from the left; the unknown one alone where they do not cover it."""
        if len(word) > self.longest:
            return self.unknown
        found, start, known = [], 0, self.known
        while start < len(word):
            prefix = self.prefix if start else ""
            for end in range(len(word), start, -1):
                piece = known.get(prefix + word[start:end])
                if piece is not None:
                    break
            else:
                return self.unknown
            found.append(piece)
            start = end
        return found


def lower_turkish(text: str) -> str:
    """Return the text in lower case by the rules of Turkish: I becomes ı, and İ becomes i."""
    text = unicodedata.normalize("NFC", text).replace("İ", "i").replace("I", "ı")
    return unicodedata.normalize("NFC", "".join(map(str.lower, text)))  # letter by letter, as in `normalise`


def split_words(text: str) -> list[str]:
    """Return the words between spaces; punctuation marks are words of their own."""
    found = []
    for word in text.split():
        start = 0
        for place, letter in enumerate(word):
            if is_punctuation(letter):
                found += [word[start:place], letter] if place > start else [letter]
                start = place + 1
        if start < len(word):
            found.append(word[start:])
    return found


def is_punctuation(letter: str) -> bool:
    """Is it a mark of Unicode's category P, or a visible character of ASCII that is neither letter nor digit?"""
    if letter < "\x80":
        return "!" <= letter <= "/" or ":" <= letter <= "@" or "[" <= letter <= "`" or "{" <= letter <= "~"
    return unicodedata.category(letter)[0] == "P"


def cut_longest(one: int, other: int, room: int) -> tuple[int, int]:
    """Return how many pieces to keep of each text of a pair.

    The longer one is cut first, then both to half the room.
    """
    if one + other <= room:
        return one, other
    if min(one, other) > room // 2:
        return (room // 2 + room % 2, room // 2) if one > other else (room // 2, room // 2 + room % 2)
    return (room - other, other) if one > other else (one, room - one)


class Rows(Protocol):
    """A tokenizer of texts, or of pairs of texts."""

    ending: int  # special ids after each text of a pair

    def row(self, text: str, pair: str | None, most: int) -> tuple[list[int], int]: ...
    def length(self, text: str, pair: str | None = None) -> int: ...


class BothEnds:
    """A tokenizer whose long texts lose the ids in their middle, where data.truncate=middle."""

    def __init__(self, rows: Rows) -> None:
        self.whole, self.length, self.ending = rows, rows.length, rows.ending

    def row(self, text: str, pair: str | None, most: int) -> tuple[list[int], int]:
        """At most `most` ids of a text, or of a pair of texts, with special ones, and where the second text begins."""
        ids, start = self.whole.row(text, pair, UNLIMITED)
        kept, left = cut_longest(start, len(ids) - start, most)
        return [*both_ends(ids[:start], kept), *both_ends(ids[start:], left)], kept


def both_ends(ids: list[int], kept: int) -> list[int]:
    """Return the first and the last half of the ids to keep; the first half has one more of an odd number."""
    return ids if len(ids) <= kept else [*ids[: kept - kept // 2], *ids[len(ids) - kept // 2 :]]


def truncated(rows: Rows, way: str) -> Rows:
    """Return a tokenizer whose long texts lose what a header's `truncate` says; ValueError if that is not known."""
    if way not in ("end", "middle"):
        raise ValueError(f"its texts are cut in a way unknown to this reader ({way!r})")
    return BothEnds(rows) if way == "middle" else rows
