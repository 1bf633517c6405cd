"""Texts as hashes of their words: a tokenizer without a vocabulary, for n-gram models.

The whole text is lower-cased (data.lower: by the rules of a language). Its tokens are its words, and each other visible
character. A stored token is (CRC-32 of the UTF-8 bytes + 1) mod 2^32. Nothing is trained and no word is unknown, but
words cannot be recovered. With character n-grams a row is the words of its text followed, as a second segment, by their
character n-grams; vowel signs and accents are then parts of words (data/inputs/marked_words.py).
"""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from data.errors import DataError
from data.inputs.character_grams import CharacterGrams
from data.inputs.cleaning import ENTRY as CLEANING
from data.inputs.cleaning import clean_texts, known_steps
from data.inputs.language_case import TURKISH
from data.inputs.marked_words import MARKED, marked_pattern
from data.inputs.word_cache import Encoded, join_texts, spans
from data.json_types import JsonObject
from data.targets.written_text import lower_case

WORDS = "words"  # the value of model.tokenizer
FILE = "words.json"
PATTERN = r"\w+|[^\w\s]"
FACTS = {"tokenizer": "hashed words", "format": 1, "pattern": PATTERN, "lower": True, "hash": "crc32 + 1"}
NO_WORD = 0  # padding, and the only token of a row without words, so that no row is empty
MOST_WORDS = 200_000  # cache size; the cache is emptied when full, so that memory use does not grow with the texts

_find = re.compile(PATTERN).findall


class _Hashes(dict[str, int]):
    """The hash of each word seen so far."""

    def __missing__(self, word: str) -> int:
        if len(self) >= MOST_WORDS:
            self.clear()
        # A lone surrogate, which has no UTF-8 bytes, is always a token of its own.
        raw = "\ufffd" if len(word) == 1 and "\ud800" <= word <= "\udfff" else word
        self[word] = found = (zlib.crc32(raw.encode()) + 1) & 0xFFFFFFFF
        return found


@dataclass(frozen=True)
class HashedWords:
    """The tokenizer of hashed words; there are no special tokens.

    characters: lengths of the shortest and longest character n-grams; None: no n-grams. language: whose rules
    lower-case texts; None: Unicode's rules.
    """

    characters: tuple[int, int] | None = None
    cleaning: tuple[str, ...] = ()  # cleaning steps before it, by their names in data/inputs/cleaning.py
    language: str | None = None
    keeps_marks: bool = True  # with character n-grams; False: words are split at marks, as in files of earlier versions
    source: ClassVar[str] = WORDS
    vocab_size: ClassVar[int] = 1 << 32
    pad_id: ClassVar[int] = NO_WORD

    def cleaned_by(self, steps: tuple[str, ...]) -> Self:
        """Return this tokenizer with exactly these cleaning steps before it."""
        return replace(self, cleaning=steps)

    @cached_property
    def facts(self) -> JsonObject:
        """The content of words.json."""
        found = FACTS | ({"characters": list(self.characters)} if self.characters else {})
        found |= {"pattern": MARKED} if self.has_marked_words else {}
        found |= {"language": self.language} if self.language else {}
        return found | ({CLEANING: list(self.cleaning)} if self.cleaning else {})

    @property
    def has_marked_words(self) -> bool:
        """Are vowel signs and accents parts of words?"""
        return self.keeps_marks and self.characters is not None

    @cached_property
    def fingerprint(self) -> str:
        """A hash of everything that the tokens depend on."""
        return hashlib.sha256(json.dumps(self.facts, sort_keys=True).encode()).hexdigest()

    def encode(self, texts: list[str], pairs: list[str] | None, max_length: int) -> Encoded:
        """Encode texts, at most max_length words per row; of a pair the longer text is cut first."""
        if self.cleaning:
            texts, pairs = clean_texts(texts, self.cleaning), pairs and clean_texts(pairs, self.cleaning)
        if self.characters:
            return self._encode_characters(texts, max_length)
        parts = [hash_texts(column, self.language) for column in (texts, pairs) if column is not None]
        return join_texts(parts, max_length, NO_WORD)

    @cached_property
    def _hashes(self) -> _Hashes:
        """The hashes of words, cached across calls."""
        return _Hashes()

    @cached_property
    def _grams(self) -> CharacterGrams:
        """The hashes of the character n-grams of words, cached across calls."""
        assert self.characters is not None
        return CharacterGrams(*self.characters)

    def _encode_characters(self, texts: list[str], max_length: int) -> Encoded:
        """Encode each text as at most max_length words followed by the character n-grams of these words."""
        found = [self.words_of(text) for text in texts]
        is_cut = np.fromiter((len(words) > max_length for words in found), bool, len(found))
        kept = [words[:max_length] for words in found]
        hashes = [self.hash_words(words) or [NO_WORD] for words in kept]
        starts = np.fromiter(map(len, hashes), np.int64, len(hashes))
        grams, counts = self._grams.of_rows(kept)
        lengths = starts + counts
        tokens = np.empty(int(lengths.sum()), np.int64)
        place = np.cumsum(lengths) - lengths
        tokens[spans(place, starts)] = np.fromiter(chain.from_iterable(hashes), np.int64, int(starts.sum()))
        tokens[spans(place + starts, counts)] = grams
        return Encoded(tokens, lengths, starts, int(is_cut.sum()), is_cut=is_cut)

    def words_of(self, text: str) -> list[str]:
        """Return the words of a cleaned text, before hashing."""
        find = marked_pattern().findall if self.has_marked_words else _find
        return find(lowered(text, self.language))

    def hash_words(self, words: Iterable[str]) -> list[int]:
        """Return the hash of each word."""
        return [self._hashes[word] for word in words]

    def decode(self, ids: list[int]) -> str:
        """Return the hashes in hexadecimal, since the words are not stored."""
        return " ".join(f"{index:08x}" for index in ids)

    def tokens(self) -> list[str]:
        """Raise DataError: there is no list of words."""
        raise DataError(
            f"model.tokenizer={WORDS} keeps hashes of words and has no list of them, which this model or method needs. "
            "Try: model.tokenizer=auto"
        )

    def save(self, folder: Path, longest: int | None = None) -> None:
        """Write the file from which a saved model restores this tokenizer; `longest` is ignored."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FILE).write_text(json.dumps(self.facts, indent=2), encoding="utf-8")


def lowered(text: str, language: str | None = None) -> str:
    """Return a text, lower-cased by the rules of `language` (None: Unicode's)."""
    return lower_case(text, language) if language else text.lower()


def marked_pattern_of(tokenizer: object) -> str | None:
    """Return the pattern that a model.bin has to name, None for the usual one and for other tokenizers."""
    return MARKED if isinstance(tokenizer, HashedWords) and tokenizer.has_marked_words else None


def hash_texts(texts: Iterable[str], language: str | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return the hashes of the words of all texts end to end, int64 below 2^32, and the number in each text, int64.

    language: whose rules lower-case texts; None: Unicode's rules.
    """
    known, parts, counts = _Hashes(), list[np.ndarray](), list[int]()
    for text in texts:
        words = _find(lowered(text, language))
        parts.append(np.fromiter(map(known.__getitem__, words), np.int64, len(words)))
        counts.append(len(words))
    return np.concatenate([np.zeros(0, np.int64), *parts]), np.array(counts, np.int64)


def open_words(folder: Path) -> HashedWords:
    """Open the tokenizer of a saved folder; DataError if its file describes another way to hash words."""
    path = folder / FILE
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read ({error}). Try: copy the model folder again") from error
    try:
        found, language = (facts.pop(key, None) for key in ("characters", "language"))
        steps = known_steps(facts.pop(CLEANING, ()))
        if keeps_marks := found is not None and facts.get("pattern") == MARKED:
            facts["pattern"] = PATTERN
        if facts != FACTS or language not in (None, TURKISH):
            raise ValueError("describes hashed words that this version cannot read")
    except (ValueError, AttributeError) as error:
        raise DataError(f"{path} {error}. Update Bertier") from error
    if found is None:
        return HashedWords(None, steps, language)
    return HashedWords((int(found[0]), int(found[1])), steps, language, keeps_marks)
