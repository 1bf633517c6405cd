"""Encoded texts as flat arrays, and a word cache that runs BERT's tokenisation once per distinct word.

BERT's normaliser and pre-tokeniser never look across a space, so the tokens of a text are those of its space-separated
words, one after the other. Texts repeat words: SST-2 has 45 times as many words as distinct ones. The `tokenizers`
library still encodes every word, but each only once.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from data.inputs.language_case import own_normalizer

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Backend

FEW = 8  # texts in one call that are split in Python
MOST_WORDS = 100_000  # cache size, about 20 MB; the cache is emptied when full, so memory does not grow with the file


@dataclass
class Encoded:
    """Rows of token ids end to end, special tokens included."""

    tokens: np.ndarray  # (sum of lengths,) int64
    lengths: np.ndarray  # (rows,) int64
    segment_starts: np.ndarray  # (rows,) int64: where a row's second text starts; the row's length if it has none
    truncated: int  # rows that lost tokens
    # (words,) int32: for pre-split words, the position in its row of each word's first token; -1 without a token.
    alignment: np.ndarray | None = None
    words: np.ndarray | None = None  # (words,) uint64: their hashes
    is_cut: np.ndarray | None = None  # (rows,) bool: which rows lost tokens; None if this is not recorded
    # (tokens, 2) int32: where each token starts and ends in the context; -1 -1 for tokens outside it.
    characters: np.ndarray | None = None


def encode_by_text(backend: Backend, texts: list[str], pairs: list[str] | None, max_length: int) -> Encoded:
    """Encode every text with any tokenizer; of a pair the longer text is cut first."""
    backend.enable_truncation(max_length, strategy="longest_first")
    backend.no_padding()
    found = list(backend.encode_batch_fast(texts if pairs is None else list(zip(texts, pairs))))
    lengths = np.fromiter((len(e.ids) for e in found), np.int64, len(found))
    starts = lengths
    if any(1 in e.type_ids for e in found):
        starts = np.array([sum(1 for segment in e.type_ids if segment == 0) for e in found])
    tokens = np.concatenate([np.array(e.ids, np.int64) for e in found])
    is_cut = np.fromiter((bool(e.overflowing) for e in found), bool, len(found))
    return Encoded(tokens, lengths, starts, int(is_cut.sum()), is_cut=is_cut)


def join_texts(parts: list[tuple[np.ndarray, np.ndarray]], max_length: int, pad_id: int) -> Encoded:
    """Return rows without special tokens of at most max_length tokens; of a pair the longer text is cut first.

    parts: for each text of a row its column of tokens end to end and their number in each row. A row without any has
    one `pad_id`.
    """
    had = [counts for _, counts in parts]
    kept = [np.minimum(had[0], max_length)] if len(parts) == 1 else list(cut_longest(had[0], had[1], max_length))
    real = np.sum(kept, axis=0)
    lengths = np.maximum(real, 1)
    tokens = np.full(int(lengths.sum()), pad_id, np.int64)
    place = np.cumsum(lengths) - lengths
    for (ids, before), count in zip(parts, kept):
        tokens[spans(place, count)] = ids[spans(np.cumsum(before) - before, count)]
        place = place + count
    starts = lengths if len(parts) == 1 else np.where(real == 0, 1, kept[0])
    cut = np.any([count < before for count, before in zip(kept, had)], axis=0)
    return Encoded(tokens, lengths, starts, int(cut.sum()), is_cut=cut)


def without_empty(rows: Encoded, pad_id: int) -> Encoded:
    """Return the rows with the padding token in those that have no token, as of an empty text without special ones."""
    is_empty = rows.lengths == 0
    if not is_empty.any():
        return rows
    tokens = np.insert(rows.tokens, (np.cumsum(rows.lengths) - rows.lengths)[is_empty], pad_id)
    starts = np.where(is_empty, 1, rows.segment_starts)
    return replace(rows, tokens=tokens, lengths=rows.lengths + is_empty, segment_starts=starts)


class WordCache:
    """Encodes texts like `encode_by_text`, but 2 to 12 times as fast, for tokenizers like BERT's."""

    _known: dict[str, int]  # word -> its number in the cache
    _tokens: np.ndarray  # of all known words, end to end
    _starts: np.ndarray  # by number: where the word's tokens start
    _counts: np.ndarray  # by number: how many tokens the word has

    def __init__(self, backend: Backend, first: int = 0, last: int = 0) -> None:
        self.backend, self.first, self.last = backend, first, last  # [CLS] and [SEP]; only `encode` adds them
        self._forget()

    @classmethod
    def bare(cls, backend: Backend) -> WordCache | None:
        """Create a cache of pieces without special tokens; None unless normaliser and pre-tokeniser are BERT's."""
        content = json.loads(backend.to_str())
        parts = own_normalizer(content), content["pre_tokenizer"], content["model"]
        kinds = [(part or {}).get("type") for part in parts]
        spaced = any(" " in token["content"] for token in content["added_tokens"])
        return None if kinds != ["BertNormalizer", "BertPreTokenizer", "WordPiece"] or spaced else cls(backend)

    @classmethod
    def of(cls, backend: Backend) -> WordCache | None:
        """Create a tokenizer's cache; None unless it has BERT's normaliser, pre-tokeniser and template."""
        if cls.bare(backend) is None:
            return None
        backend.no_truncation()
        backend.no_padding()
        single, pair = backend.encode(""), backend.encode("", "")
        if len(single.ids) != 2 or pair.ids != [*single.ids, single.ids[1]] or pair.type_ids != [0, 0, 1]:
            return None
        return cls(backend, *single.ids)

    def encode(self, texts: list[str], pairs: list[str] | None, max_length: int) -> Encoded:
        """Encode texts; of a pair the longer text is cut first."""
        columns = [texts] if pairs is None else [texts, pairs]
        room = max_length - 1 - len(columns)
        parts = [self.pieces(column, room + 1) for column in columns]
        if pairs is not None and any((parts[0][1] > room) & (parts[1][1] > room)):
            parts = [self.pieces(column) for column in columns]  # the cut depends on which text is longer
        had = [lengths for _, lengths in parts]
        kept = [np.minimum(had[0], room)] if pairs is None else list(cut_longest(had[0], had[1], room))
        lengths = np.sum(kept, axis=0) + 1 + len(kept)
        ends = np.cumsum(lengths)
        tokens = np.empty(int(lengths.sum()), np.int64)
        place = ends - lengths
        tokens[place] = self.first
        for (ids, before), count in zip(parts, kept):
            place = place + 1
            tokens[spans(place, count)] = ids[spans(np.cumsum(before) - before, count)]
            place = place + count
            tokens[place] = self.last
        starts = lengths if pairs is None else kept[0] + 2
        cut = np.any([count < before for count, before in zip(kept, had)], axis=0)
        return Encoded(tokens, lengths, starts, int(cut.sum()), is_cut=cut)

    def words(self, words: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return the tokens of words end to end, without special tokens, and the number per word, (words,) int64."""
        distinct = {word: i for i, word in enumerate(dict.fromkeys(words))}
        numbers = self._numbers(list(distinct))[np.fromiter((distinct[word] for word in words), np.int64, len(words))]
        counts = self._counts[numbers]
        return self._tokens[spans(self._starts[numbers], counts)], counts

    def pieces(self, texts: list[str], most: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return the tokens of all texts end to end, without special tokens, and the number per text.

        most: for a text with more tokens, returning at least its first `most` is enough; None: return all.
        """
        if most is not None:
            begun = [first_words(text, most) for text in texts]
            tokens, counts = self._whole_pieces(begun)
            # A word may have no tokens: an empty one between two spaces, or a control character.
            if all(count >= most or one is text for count, one, text in zip(counts, begun, texts)):
                return tokens, counts
        return self._whole_pieces(texts)

    def _whole_pieces(self, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
        if len(texts) <= FEW:
            return self._pieces_of_few(texts)
        import pyarrow as pa
        import pyarrow.compute as pc

        split = pc.split_pattern(pa.array(texts, pa.large_string()), " ")
        words = split.values.dictionary_encode()
        numbers = self._numbers(words.dictionary.to_pylist())[np.asarray(words.indices)]
        counts = self._counts[numbers]
        edges = np.concatenate([[0], np.cumsum(counts)])
        tokens = self._tokens[spans(self._starts[numbers], counts)]
        return tokens, np.diff(edges[np.asarray(split.offsets)])

    def _pieces_of_few(self, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """Do what `pieces` does without Arrow, whose call overhead exceeds the cost of a few sentences."""
        tokens = []
        for text in texts:
            words = text.split(" ")
            try:
                numbers = self._known_numbers(words)
            except KeyError:
                self._numbers(list(dict.fromkeys(words)))
                numbers = self._known_numbers(words)
            tokens.append(self._tokens[spans(self._starts[numbers], self._counts[numbers])])
        return np.concatenate(tokens), np.fromiter(map(len, tokens), np.int64, len(tokens))

    def _numbers(self, words: list[str]) -> np.ndarray:
        """Return the number of each word, encoding new words first."""
        if len(self._known) > MOST_WORDS:
            self._forget()
        new = [word for word in words if word not in self._known]
        if new:
            self.backend.no_truncation()
            found = self.backend.encode_batch_fast(new, add_special_tokens=False)
            counts = np.fromiter((len(e.ids) for e in found), np.int64, len(found))
            self._known.update(zip(new, range(len(self._known), len(self._known) + len(new))))
            self._starts = np.concatenate([self._starts, len(self._tokens) + np.cumsum(counts) - counts])
            self._counts = np.concatenate([self._counts, counts])
            self._tokens = np.concatenate([self._tokens, *(np.array(e.ids, np.int64) for e in found)])
        return self._known_numbers(words)

    def _known_numbers(self, words: list[str]) -> np.ndarray:
        return np.fromiter(map(self._known.__getitem__, words), np.int64, len(words))

    def _forget(self) -> None:
        """Empty the cache."""
        self._known = {}
        self._tokens, self._starts, self._counts = (np.zeros(0, np.int64) for _ in range(3))


def first_words(text: str, most: int) -> str:
    """Return the first `most` words of a text, separated by single spaces; the text itself if it has no more.

    The tokens of a text are those of its words, so these words' tokens do not depend on the text that follows.
    """
    if len(text) <= most:
        return text
    words = text.split(" ", most)
    return text if len(words) <= most else text[: len(text) - len(words[-1]) - 1]


def spans(starts: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the indices starts[i] ... starts[i] + counts[i] - 1 for every i, concatenated."""
    ends = np.cumsum(counts)
    return np.arange(int(counts.sum())) + np.repeat(starts - (ends - counts), counts)


def cut_longest(one: np.ndarray, other: np.ndarray, room: int) -> tuple[np.ndarray, np.ndarray]:
    """Return how many tokens of each text of a pair to keep within `room`: first the longer is cut, then both to half.

    Same as truncation "longest_first" of the `tokenizers` library; if `room` is odd, the longer text gets one more.
    """
    short, long = np.minimum(one, other), np.maximum(one, other)
    long_kept = np.minimum(long, np.maximum(short, room - short))
    halves = short + long_kept > room
    short_kept = np.where(halves, room // 2, short)
    long_kept = np.where(halves, room // 2 + room % 2, long_kept)
    swap = one > other
    return np.where(swap, long_kept, short_kept), np.where(swap, short_kept, long_kept)
