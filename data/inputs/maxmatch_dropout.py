"""MaxMatch-Dropout for WordPiece: in every epoch the words of training texts are split into different pieces.

WordPiece takes the longest piece that a word begins with, then the longest that the rest begins with, and so on. With
dropout each matching piece is skipped with some probability and the next shorter one is tried; the shortest match is
always taken. Rows are re-split from their stored ids: joining the pieces of a word gives the word.
Source: Hiraoka 2022, MaxMatch-Dropout, arXiv 2209.04126.
"""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np

from data.errors import DataError
from data.inputs.tokenizer import Tokenizer, require_pieces
from data.inputs.truncation import END, MIDDLE
from data.inputs.word_cache import cut_longest
from data.splits import Arrays, TokenSplit

SETTING = "train.maxmatch_dropout"
MOST_WORDS = 100_000  # cache size; the cache is emptied when full, so that memory use does not grow
Fits = list[list[tuple[int, int]]]  # at each character of a word: (end, id) of each matching piece, the longest first


class MaxMatchDropout:
    """Re-splits the words of training batches; depends only on the run's seed, the epoch and the row."""

    def __init__(self, tokenizer: Tokenizer, *, share: float, seed: int, max_length: int, truncate: str = END) -> None:
        """share: probability that a piece is skipped; seed: of the run; max_length: of a row, in tokens; truncate: what
        a longer row loses.

        DataError for a tokenizer other than WordPiece.
        """
        pieces = require_pieces(tokenizer, f"{SETTING}={share:g}")
        content = json.loads(pieces.backend.to_str())
        model = content["model"]
        if model["type"] != "WordPiece":
            raise DataError(
                f"{SETTING}={share:g}: splits words by WordPiece, but the tokenizer of {pieces.source} is a "
                f"{model['type']}. Try: {SETTING}=0"
            )
        self.share, self.seed, self.max_length, self.truncate = share, seed, max_length, truncate
        self.vocab: dict[str, int] = model["vocab"]
        self.inner: str = model["continuing_subword_prefix"]
        self.longest = max(map(len, self.vocab))
        self.pieces = {number: piece for piece, number in self.vocab.items()}
        self.continuing = {number for piece, number in self.vocab.items() if piece.startswith(self.inner)}
        self.whole = {self.vocab[name] for name in pieces.names.values() if name in self.vocab}  # never split
        self.whole |= {token["id"] for token in content["added_tokens"]}
        self._known: dict[tuple[int, ...], Fits | None] = {}

    def augment(self, split: TokenSplit, rows: np.ndarray, inputs: Arrays, targets: Arrays, epoch: int) -> None:
        """Replace the inputs of a batch with the same rows split into different pieces."""
        found, starts = list[list[int]](), list[int]()
        for row in rows.tolist():
            begin, end = split.offsets[row : row + 2]
            random = np.random.default_rng([self.seed, epoch, row])
            ids, start = self.split_row(split.tokens[begin:end].tolist(), int(split.segment_starts[row]), random)
            found.append(ids)
            starts.append(start)
        batch = replace(
            split, tokens=np.concatenate([np.array(ids, np.int64) for ids in found]),
            offsets=np.concatenate([[0], np.cumsum([len(ids) for ids in found])]), segment_starts=np.array(starts),
            source_rows=None, parts=None, texts=None, units=None,
        )  # fmt: skip
        inputs.clear()
        inputs.update(split.input.collate(batch, np.arange(len(rows))))

    def split_row(self, ids: list[int], start: int, random: np.random.Generator) -> tuple[list[int], int]:
        """Return a row in different pieces, cut to `max_length` tokens in all, and where its second text starts.

        start: where the second text starts in `ids`; len(ids) without one.
        """
        draws = _Draws(random)
        one, two = self._split_text(ids[:start], draws), self._split_text(ids[start:], draws)
        if len(one) + len(two) > self.max_length:
            kept = cut_longest(np.array([len(one)]), np.array([len(two)]), self.max_length)
            one, two = (self._cut(text, int(count[0])) for text, count in zip((one, two), kept))
        return one + two, len(one)

    def _cut(self, ids: list[int], count: int) -> list[int]:
        """Return `count` tokens of a text; a special token at its end is kept."""
        if len(ids) <= count or not count:
            return ids[:count]
        if self.truncate == MIDDLE:
            return [*ids[: count - count // 2], *ids[len(ids) - count // 2 :]]
        return [*ids[: count - 1], ids[-1] if ids[-1] in self.whole else ids[count - 1]]

    def _split_text(self, ids: list[int], draws: _Draws) -> list[int]:
        found, begin = list[int](), 0
        for end in range(1, len(ids) + 1):
            if end < len(ids) and ids[end] in self.continuing:
                continue
            found += self._split_word(tuple(ids[begin:end]), draws)
            begin = end
        return found

    def _split_word(self, ids: tuple[int, ...], draws: _Draws) -> tuple[int, ...] | list[int]:
        """Return the word in different pieces; unchanged if the chosen pieces leave a rest that no piece matches."""
        fits = self._fits(ids)
        if fits is None:
            return ids
        found, place = list[int](), 0
        while place < len(fits):
            for end, number in fits[place]:
                if end == fits[place][-1][0] or draws.next() >= self.share:
                    found.append(number)
                    place = end
                    break
            else:
                return ids
        return found

    def _fits(self, ids: tuple[int, ...]) -> Fits | None:
        """Return the pieces that match at each character of a word; None for special tokens, which are never split."""
        if ids in self._known:
            return self._known[ids]
        if len(self._known) > MOST_WORDS:
            self._known = {}
        found = self._known[ids] = self._find_fits(ids)
        return found

    def _find_fits(self, ids: tuple[int, ...]) -> Fits | None:
        if ids[0] in self.continuing or not self.whole.isdisjoint(ids):
            return None
        word = self.pieces[ids[0]] + "".join(self.pieces[number].removeprefix(self.inner) for number in ids[1:])
        found: Fits = []
        for place in range(len(word)):
            start = self.inner if place else ""
            ends = range(min(len(word), place + self.longest), place, -1)
            named = [(end, self.vocab.get(start + word[place:end])) for end in ends]
            found.append([(end, number) for end, number in named if number is not None])
        return found


class _Draws:
    """Random numbers between 0 and 1, returned one by one but drawn in blocks, which takes a twentieth of the time."""

    def __init__(self, random: np.random.Generator) -> None:
        self._random, self._left = random, list[float]()

    def next(self) -> float:
        """Return the next random number."""
        self._left = self._left or self._random.random(64).tolist()
        return self._left.pop()
