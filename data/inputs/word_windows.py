"""Rows that are longer than the model's input, as windows that overlap; each word is answered by one of them.

The window in which a word is farthest from an edge answers it; the beginning and the end of the row are no edges. The
windows of a row answer its words one after the other, so that answers keep the order of the words. A bundle of a tagger
has a copy of this file.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

OVERLAP = 4  # neighbours share a quarter of a window: a word then has at least an eighth of one on each side


class Window(NamedTuple):
    """A part of a row: tokens start ... stop - 1, which answers the words first ... last - 1."""

    start: int
    stop: int
    first: int
    last: int


def cut_windows(starts: np.ndarray, tokens: int, room: int) -> list[Window]:
    """Cut a row of `tokens` tokens into windows of at most `room`, whole words wherever one fits.

    starts: (words,) the position of each word's first token, special tokens aside; -1 for a word without tokens.
    """
    if tokens <= room:
        return [Window(0, tokens, 0, len(starts))]
    has_token = starts >= 0
    known = starts[has_token]
    parts = _parts(known, tokens, room)
    # (words with tokens, windows): how far the first token is from the nearer edge; negative outside of the window.
    begin, end = np.array(parts).T
    left = np.where(begin == 0, tokens, known[:, None] - begin)
    right = np.where(end == tokens, tokens, end - 1 - known[:, None])
    inside = (known[:, None] >= begin) & (known[:, None] < end)
    answered = np.where(inside, np.minimum(left, right), -1).argmax(1)
    # A word without tokens goes with the word before it.
    every = np.concatenate([[0], answered])[np.cumsum(has_token)]
    bounds = np.searchsorted(every, np.arange(len(parts) + 1))
    return [Window(*part, int(a), int(b)) for part, a, b in zip(parts, bounds, bounds[1:])]


def _parts(starts: np.ndarray, tokens: int, room: int) -> list[tuple[int, int]]:
    """Return where windows begin and end; they begin and end with a word, unless one word is longer than a window."""
    parts, start = list[tuple[int, int]](), 0
    while True:
        stop = _word_at_or_before(starts, start + room, above=start) or start + room
        parts.append((start, stop))
        wanted = max(stop - room // OVERLAP, start + 1)
        if tokens - wanted <= room:
            wanted = max(tokens - room, start + 1)  # the last window: as long as it may be
        after = starts[np.searchsorted(starts, wanted) :]
        if len(after) and after[0] <= stop:
            start = int(after[0])
        else:
            start = _word_at_or_before(starts, stop, above=start) or (int(after[0]) if len(after) else tokens)
        if tokens - start <= room:
            return [*parts, (start, tokens)] if start < tokens else parts


def _word_at_or_before(starts: np.ndarray, place: int, above: int) -> int:
    """Return the last word that begins above `above` and not after `place`; 0 if there is none."""
    found = starts[(starts > above) & (starts <= place)]
    return int(found[-1]) if len(found) else 0
