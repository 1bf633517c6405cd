"""Words that are already split as the input of a row: the first token of each word answers for it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from data.inputs.token_ids import TokenIds
from data.inputs.tokenizer import Tokenizer
from data.inputs.windows import Window, cut_windows
from data.inputs.word_cache import Encoded, spans
from data.inputs.word_pieces import Frame, first_places, word_pieces
from data.labels import Labels
from data.splits import TokenSplit


class Words(TokenIds):
    """Rows of words, as tokens."""

    columns = ("tokens",)

    def __init__(self, tokenizer: Tokenizer) -> None:
        super().__init__(tokenizer.pad_id)
        self.tokenizer = tokenizer
        self.frame = Frame.of(tokenizer)

    @property
    def ending(self) -> int:
        """The number of special tokens at the end of a row."""
        return len(self.frame.after)

    def encode(self, rows: list[list[str]]) -> tuple[Encoded, np.ndarray]:
        """Return whole rows as tokens, special ones included, and the position of each word's first token, (words,).

        A word without tokens has the position -1. Rows are never cut here: see `lay_out`.
        """
        pieces = word_pieces(self.tokenizer, rows)
        offsets = np.cumsum([0, *map(len, rows)])
        edges = np.concatenate([[0], np.cumsum(pieces.counts)])[offsets]
        lengths = np.diff(edges) + len(self.frame)
        tokens = self._framed(pieces.tokens, edges[:-1], np.diff(edges))
        return Encoded(tokens, lengths, lengths, 0), first_places(pieces.counts, offsets, len(self.frame.before))

    def lay_out(self, split: TokenSplit, max_length: int, *, windows: bool) -> TokenSplit:
        """Return the split with rows of at most `max_length` tokens.

        windows: longer rows become several that overlap, and each word is answered in one of them; else such a row
        loses its end, and the words there have the position -1.
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
            labels=Labels(split.labels.values, items, self._places(split.labels, last - first, start, stop)),
            truncated=0 if windows else len(long_rows),
            parts=np.cumsum([0, *map(len, parts)]),
        )

    def _parts(self, split: TokenSplit, long_rows: set[int], room: int, windows: bool) -> list[list[Window]]:
        """Return the windows of each row; one that ends early where windows are off."""
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
        """Return the words' positions in their windows; -1 beyond the end of a row that was cut."""
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


def lost_words(split: TokenSplit) -> int:
    """Return how many words no token answers for: cut off with the end of a row, or without a token of their own."""
    return 0 if split.labels.places is None else int((np.asarray(split.labels.places) < 0).sum())
