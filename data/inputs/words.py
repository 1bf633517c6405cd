"""Pre-split words as the input of a row; each word is predicted at its first token."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import ClassVar, Self

import numpy as np

from data.errors import DataError
from data.inputs.columns import Columns
from data.inputs.request import Asked, Field
from data.inputs.split_text import find_words, split_bare, split_words
from data.inputs.token_ids import TokenIds
from data.inputs.tokenizer import Tokenizer, require_pieces
from data.inputs.word_cache import Encoded, spans
from data.inputs.word_pieces import Frame, first_places, word_pieces
from data.inputs.word_windows import Window, cut_windows
from data.json_types import Json, JsonObject
from data.labels import Labels
from data.sources.columns import is_column_number
from data.splits import Arrays, TokenSplit
from data.targets.written_text import lower_case

WORDS = "words"  # the column of a raw split's table: lists of words


class Words(TokenIds):
    """Rows of words, as tokens."""

    name: ClassVar[str] = WORDS
    reads_words: ClassVar[bool] = True
    options: ClassVar[tuple[str, ...]] = ("language", "windows")

    def __init__(self, tokenizer: Tokenizer, language: str | None = None, *, windows: bool = True) -> None:
        """language: of words without punctuation and capitals, else None; windows: cut long questions into windows?"""
        super().__init__(tokenizer.pad_id)
        self.tokenizer, self.language, self.windows = tokenizer, language, windows
        self.frame = Frame.of(require_pieces(tokenizer, "a task over words"))
        if tokenizer.cleaning:
            raise DataError("data.clean: cleans whole texts, but these rows are words. Try: data.clean=null")
        self.columns: tuple[str, ...] = (WORDS,)

    @property
    def ending(self) -> int:
        """The number of special tokens at the end of a row."""
        return len(self.frame.after)

    def encode(self, columns: Columns, max_length: int) -> Encoded:
        """Return whole rows as tokens, special ones included, and the position of each word's first token.

        Rows are never cut here, whatever `max_length` is: see `lay_out`.
        """
        rows = columns[WORDS]
        pieces = word_pieces(require_pieces(self.tokenizer, "a task over words"), rows)
        offsets = np.cumsum([0, *map(len, rows)])
        edges = np.concatenate([[0], np.cumsum(pieces.counts)])[offsets]
        lengths = np.diff(edges) + len(self.frame)
        tokens = self._framed(pieces.tokens, edges[:-1], np.diff(edges))
        places = first_places(pieces.counts, offsets, len(self.frame.before))
        return Encoded(tokens, lengths, lengths, 0, places, hash_words(rows))

    def collate(self, split: TokenSplit, rows: np.ndarray, lookup: np.ndarray | None = None) -> Arrays:
        """Return padded rows, and in `places` the positions (N,) in the flattened (B, T) where words are predicted."""
        inputs, labels = super().collate(split, rows, lookup), split.labels
        assert labels.places is not None, "words are stored with their places"
        places = np.asarray(labels.places[labels.of(rows)], np.int64)
        starts = np.repeat(np.arange(len(rows)) * inputs["input_ids"].shape[1], labels.counts[rows])
        return inputs | {"places": (starts + places)[places >= 0]}

    def lay_out(self, split: TokenSplit, max_length: int, *, windows: bool) -> TokenSplit:
        """Return the split with rows of at most `max_length` tokens.

        windows: longer rows become several overlapping ones, and each word is predicted in one of them; otherwise they
        are truncated, and words beyond the end get position -1.
        """
        room = max_length - len(self.frame)
        long_rows = np.flatnonzero(split.lengths > max_length)
        if not len(long_rows):
            return split
        assert split.labels.offsets is not None, "words have labels of their own"
        parts = self._parts(split, set(long_rows.tolist()), room, windows)
        found = np.array([(row, *window) for row, row_parts in enumerate(parts) for window in row_parts], np.int64)
        rows, start, stop, first, last = found.T
        before = len(self.frame.before)
        tokens = self._framed(np.asarray(split.tokens), split.offsets[rows] + before + start, stop - start)
        lengths = stop - start + len(self.frame)
        items = np.concatenate([[0], np.cumsum(last - first)])
        return replace(
            split,
            tokens=tokens.astype(split.tokens.dtype),
            offsets=np.concatenate([[0], np.cumsum(lengths)]),
            segment_starts=lengths.astype(np.int32),
            labels=replace(split.labels, offsets=items, places=self._places(split.labels, last - first, start, stop)),
            truncated=0 if windows else len(long_rows),
            parts=np.cumsum([0, *map(len, parts)]),
        )

    def _parts(self, split: TokenSplit, long_rows: set[int], room: int, windows: bool) -> list[list[Window]]:
        """Return the windows of each row; if windows are off, a single one that ends early."""
        offsets, before = split.labels.offsets, len(self.frame.before)
        assert offsets is not None
        assert split.labels.places is not None
        parts = []
        for row, (begin, end, length) in enumerate(zip(offsets, offsets[1:], split.lengths - len(self.frame))):
            count = int(end - begin)
            if row not in long_rows:
                parts.append([Window(0, int(length), 0, count)])
            elif windows:
                places = np.asarray(split.labels.places[begin:end])
                parts.append(cut_windows(np.where(places < 0, -1, places - before), int(length), room))
            else:
                parts.append([Window(0, room, 0, count)])
        return parts

    def _places(self, labels: Labels, counts: np.ndarray, start: np.ndarray, stop: np.ndarray) -> np.ndarray:
        """Return the words' positions in their windows; -1 for words beyond the end of a truncated row."""
        places, before = np.asarray(labels.places), len(self.frame.before)
        begin, end = np.repeat(start, counts), np.repeat(stop, counts)
        inside = (places >= 0) & (places - before < end)
        return np.where(inside, places - begin, -1).astype(np.int32)

    def _framed(self, tokens: np.ndarray, starts: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """Return the pieces tokens[starts[i]:starts[i] + counts[i]] end to end, each between special tokens, int64."""
        before, after = self.frame.before, self.frame.after
        lengths = counts + len(self.frame)
        begin = np.cumsum(lengths) - lengths
        found = np.empty(int(lengths.sum()), np.int64)
        found[(begin[:, None] + np.arange(len(before))).ravel()] = np.tile(before, len(counts))
        found[((begin + len(before) + counts)[:, None] + np.arange(len(after))).ravel()] = np.tile(after, len(counts))
        found[spans(begin + len(before), counts)] = tokens[spans(starts, counts)]
        return found

    @classmethod
    def columns_of(cls, setting: Callable[[str], Json]) -> tuple[str, ...]:
        """Return the name of a run's column of words; setting: the value of a setting such as data.tokens."""
        name = setting("data.tokens")
        return ("tokens" if name is None or is_column_number(str(name)) else str(name),)

    @classmethod
    def for_questions(cls, tokenizer: Tokenizer, columns: tuple[str, ...], options: JsonObject) -> Self:
        """Return the input of a model whose training rows were read with these options."""
        return cls(tokenizer, options.get("language"), windows=options.get("windows") is not False)

    def request(self) -> tuple[Field, ...]:
        """Return one text, or its words."""
        return (Field("text", "words", "A text, or a list of its words"),)

    def ask(self, columns: Sequence[Sequence[str | Sequence[str]]], max_length: int) -> Asked:
        """Return texts or lists of words prepared for the model; long ones become windows of `max_length` tokens.

        Raises UnicodeEncodeError for a text that is not valid Unicode.

        For a model trained on words without punctuation and capitals (data.language), these are removed from the text.
        """
        texts, rows, places = [], [], []
        for question in columns[0]:
            text, words, spans_of_words = self._split(question)
            text.encode()  # `tokenizers` raises TypeError for invalid Unicode
            texts.append(text)
            rows.append(words)
            places.append(spans_of_words)
        encoded = self.encode({WORDS: rows}, max_length)
        offsets = np.cumsum([0, *map(len, rows)])
        labels = Labels(np.zeros(int(offsets[-1]), np.int64), offsets, encoded.alignment)
        whole = TokenSplit(
            "texts", encoded.tokens, np.cumsum([0, *encoded.lengths]), encoded.segment_starts, labels, 0, self
        )
        found = self.lay_out(whole, max_length, windows=self.windows)
        is_cut = (encoded.lengths > max_length) & (not self.windows)
        return Asked(found, lambda: encoded.lengths, is_cut, texts, places, found.parts)

    def _split(self, question: str | Sequence[str]) -> tuple[str, list[str], np.ndarray]:
        """Return a question's text, its words in the form that the model reads, and their places in the text."""
        if isinstance(question, str):
            words, places = split_words(question) if self.language is None else split_bare(question, self.language)
            return question, words, places
        text, words = " ".join(question), list(question)
        places = find_words(text, words)
        return text, words if self.language is None else [lower_case(word, self.language) for word in words], places


def hash_words(rows: Sequence[Sequence[str]]) -> np.ndarray:
    """Return 64 bits of the sha256 of each word of all rows, (words,) uint64."""
    known: dict[str, bytes] = {}
    found = bytearray()
    for word in itertools.chain.from_iterable(rows):
        if word not in known:
            known[word] = hashlib.sha256(word.encode("utf-8", "surrogatepass")).digest()[:8]
        found += known[word]
    return np.frombuffer(bytes(found), np.uint64)


def lost_words(split: TokenSplit) -> int:
    """Return how many words are not predicted, because their row was truncated or they have no token."""
    return 0 if split.labels.places is None else int((np.asarray(split.labels.places) < 0).sum())
