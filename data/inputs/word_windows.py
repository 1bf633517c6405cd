"""Splits rows longer than the model's input into overlapping windows; each word is predicted in one of them.

A word is predicted in the window in which it is farthest from an edge; the beginning and the end of the row do not
count as edges. Each window predicts consecutive words, so predictions stay in word order. A tagger's bundle has a copy
of this file.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

OVERLAP = 4  # neighbours share a quarter of a window, so a word has at least an eighth of one on each side


class Window(NamedTuple):
    """A part of a row: tokens start ... stop - 1, in which the words first ... last - 1 are predicted."""

    start: int
    stop: int
    first: int
    last: int


def cut_windows(starts: np.ndarray, tokens: int, room: int) -> list[Window]:
    """Cut a row of `tokens` tokens into windows of at most `room`, at word boundaries unless a word is too long.

    starts: (words,) the position of each word's first token, special tokens excluded; -1 for a word without tokens.
    """
    if tokens <= room:
        return [Window(0, tokens, 0, len(starts))]
    has_token = starts >= 0
    known = starts[has_token]
    parts = _parts(known, tokens, room)
    # (words with tokens, windows): distance of the first token from the nearer edge; negative outside the window.
    begin, end = np.array(parts).T
    left = np.where(begin == 0, tokens, known[:, None] - begin)
    right = np.where(end == tokens, tokens, end - 1 - known[:, None])
    inside = (known[:, None] >= begin) & (known[:, None] < end)
    answered = np.where(inside, np.minimum(left, right), -1).argmax(1)
    # A word without tokens is assigned to the window of the word before it.
    every = np.concatenate([[0], answered])[np.cumsum(has_token)]
    bounds = np.searchsorted(every, np.arange(len(parts) + 1))
    return [Window(*part, int(a), int(b)) for part, a, b in zip(parts, bounds, bounds[1:])]


def _parts(starts: np.ndarray, tokens: int, room: int) -> list[tuple[int, int]]:
    """Return where windows begin and end: at word boundaries, unless a word is longer than a window."""
    parts, start = list[tuple[int, int]](), 0
    while True:
        stop = _word_at_or_before(starts, start + room, above=start) or start + room
        parts.append((start, stop))
        wanted = max(stop - room // OVERLAP, start + 1)
        if tokens - wanted <= room:
            wanted = max(tokens - room, start + 1)  # the last window is as long as possible
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
