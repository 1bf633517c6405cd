"""Texts as hashes of their words: a tokenizer without a vocabulary, for models over n-grams.

A text is lowered as a whole (data.lower: by the rules of a language), and its words, and its other visible characters
one by one, are its tokens. A stored token is (CRC-32 of the UTF-8 bytes + 1) mod 2^32. Nothing is trained, and no word
is unknown; words cannot be read back. With character n-grams a row is the words of its text and then, as its second
segment, their character n-grams.
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
from data.inputs.word_cache import Encoded, cut_longest, spans
from data.json_types import JsonObject
from data.targets.written_text import lower_case

WORDS = "words"  # the value of model.tokenizer
FILE = "words.json"
PATTERN = r"\w+|[^\w\s]"
FACTS = {"tokenizer": "hashed words", "format": 1, "pattern": PATTERN, "lower": True, "hash": "crc32 + 1"}
NO_WORD = 0  # padding, and the only token of a row without a word, so that no row is empty
MOST_WORDS = 200_000  # in the cache, which is emptied then, so that memory does not grow with the texts

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

    characters: of the shortest and the longest character n-gram; None without. language: by whose rules texts are
    lowered; None: by those of Unicode.
    """

    characters: tuple[int, int] | None = None
    cleaning: tuple[str, ...] = ()  # steps before it, by their names in data/inputs/cleaning.py
    language: str | None = None
    source: ClassVar[str] = WORDS
    vocab_size: ClassVar[int] = 1 << 32
    pad_id: ClassVar[int] = NO_WORD

    def cleaned_by(self, steps: tuple[str, ...]) -> Self:
        """Return this tokenizer with these steps before it, and no others."""
        return replace(self, cleaning=steps)

    @cached_property
    def facts(self) -> JsonObject:
        """The content of words.json."""
        found = FACTS | ({"characters": list(self.characters)} if self.characters else {})
        found |= {"language": self.language} if self.language else {}
        return found | ({CLEANING: list(self.cleaning)} if self.cleaning else {})

    @cached_property
    def fingerprint(self) -> str:
        """A hash of all that the tokens depend on."""
        return hashlib.sha256(json.dumps(self.facts, sort_keys=True).encode()).hexdigest()

    def encode(self, texts: list[str], pairs: list[str] | None, max_length: int) -> Encoded:
        """Encode texts, at most max_length words a row; of a pair the longer text is cut first."""
        if self.cleaning:
            texts, pairs = clean_texts(texts, self.cleaning), pairs and clean_texts(pairs, self.cleaning)
        if self.characters:
            return self._encode_characters(texts, max_length)
        parts = [hash_texts(column, self.language) for column in (texts, pairs) if column is not None]
        had = [counts for _, counts in parts]
        kept = [np.minimum(had[0], max_length)] if pairs is None else list(cut_longest(had[0], had[1], max_length))
        words = np.sum(kept, axis=0)
        lengths = np.maximum(words, 1)
        tokens = np.full(int(lengths.sum()), NO_WORD, np.int64)
        place = np.cumsum(lengths) - lengths
        for (hashes, before), count in zip(parts, kept):
            tokens[spans(place, count)] = hashes[spans(np.cumsum(before) - before, count)]
            place = place + count
        starts = lengths if pairs is None else np.where(words == 0, 1, kept[0])
        cut = np.any([count < before for count, before in zip(kept, had)], axis=0)
        return Encoded(tokens, lengths, starts, int(cut.sum()), is_cut=cut)

    @cached_property
    def _hashes(self) -> _Hashes:
        """The hashes of words, kept from call to call."""
        return _Hashes()

    @cached_property
    def _grams(self) -> CharacterGrams:
        """The hashes of the character n-grams of words, kept from call to call."""
        assert self.characters is not None
        return CharacterGrams(*self.characters)

    def _encode_characters(self, texts: list[str], max_length: int) -> Encoded:
        """Encode texts as at most max_length words each, and the character n-grams of these words."""
        found = [words_of(text, self.language) for text in texts]
        is_cut = np.fromiter((len(words) > max_length for words in found), bool, len(found))
        kept = [words[:max_length] for words in found]
        hashes = [[self._hashes[word] for word in words] or [NO_WORD] for words in kept]
        starts = np.fromiter(map(len, hashes), np.int64, len(hashes))
        grams, counts = self._grams.of_rows(kept)
        lengths = starts + counts
        tokens = np.empty(int(lengths.sum()), np.int64)
        place = np.cumsum(lengths) - lengths
        tokens[spans(place, starts)] = np.fromiter(chain.from_iterable(hashes), np.int64, int(starts.sum()))
        tokens[spans(place + starts, counts)] = grams
        return Encoded(tokens, lengths, starts, int(is_cut.sum()), is_cut=is_cut)

    def decode(self, ids: list[int]) -> str:
        """Return the hashes in hexadecimal digits, because the words are not known."""
        return " ".join(f"{index:08x}" for index in ids)

    def tokens(self) -> list[str]:
        """Raise DataError: there is no list of words."""
        raise DataError(
            f"model.tokenizer={WORDS} keeps hashes of words and has no list of them, which this model or method needs. "
            "Try: model.tokenizer=auto"
        )

    def save(self, folder: Path, longest: int | None = None) -> None:
        """Write the file by which a saved model is opened with this tokenizer again; `longest` has no meaning here."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FILE).write_text(json.dumps(self.facts, indent=2), encoding="utf-8")


def words_of(text: str, language: str | None = None) -> list[str]:
    """Return the tokens of a text before they are hashed, in lower case by the rules of a language."""
    return _find(lower_case(text, language) if language else text.lower())


def hash_texts(texts: Iterable[str], language: str | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return the hashes of the words of all texts end to end, int64 below 2^32, and their number in each, int64.

    language: by whose rules texts are lowered; None: by those of Unicode.
    """
    known, parts, counts = _Hashes(), list[np.ndarray](), list[int]()
    for text in texts:
        words = words_of(text, language)
        parts.append(np.fromiter(map(known.__getitem__, words), np.int64, len(words)))
        counts.append(len(words))
    return np.concatenate([np.zeros(0, np.int64), *parts]), np.array(counts, np.int64)


def open_words(folder: Path) -> HashedWords:
    """Open the tokenizer of a saved folder; DataError where its file says that words are hashed in another way."""
    path = folder / FILE
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read ({error}). Try: copy the model folder again") from error
    try:
        found, language = (facts.pop(key, None) for key in ("characters", "language"))
        steps = known_steps(facts.pop(CLEANING, ()))
        if facts != FACTS or language not in (None, TURKISH):
            raise ValueError("describes other hashed words than this version reads")
    except (ValueError, AttributeError) as error:
        raise DataError(f"{path} {error}. Update Bertier") from error
    return HashedWords(None if found is None else (int(found[0]), int(found[1])), steps, language)
