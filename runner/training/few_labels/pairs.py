"""Pairs of rows for tuning an encoder: two rows of the same class, or of different classes; drawn when needed.

The training makes 2 R passes (rounds) over the rows. In each round every row is the first of one pair, whose other row
is drawn from the same class or from all others; over two rounds each row has one pair of each kind.
"""

from __future__ import annotations

import math

import numpy as np

MOST, ABOUT = 20, 20_000  # limits of R, and of all pairs: more are redundant (SetFit's R, issues 86, 258)


def pair_counts(labels: np.ndarray) -> tuple[int, int]:
    """Return the numbers of distinct pairs within a class and between classes, among rows with these labels."""
    sizes = np.unique(labels, return_counts=True)[1].astype(int).tolist()
    same = sum(size * (size - 1) // 2 for size in sizes)
    return same, len(labels) * (len(labels) - 1) // 2 - same


def pairs_a_row(wanted: str, rows: int) -> int:
    """Return R, the number of pairs of each kind per row; wanted: auto or a number."""
    return min(MOST, math.ceil(ABOUT / (2 * rows))) if wanted == "auto" else int(wanted)


class Pairs:
    """Draws the rounds: a pure function of labels, seed and round number, so a checkpoint stores only the position."""

    def __init__(self, labels: np.ndarray, seed: int) -> None:
        """labels: (rows,) class numbers, of at least two classes."""
        self.seed, self.rows = seed, len(labels)
        self._order = np.argsort(labels, kind="stable")  # rows class by class
        _, classes, sizes = np.unique(labels, return_inverse=True, return_counts=True)
        begins = np.concatenate([[0], np.cumsum(sizes)])[:-1]
        self._begins, self._sizes = begins[classes], sizes[classes]  # start and size of each row's class in that order
        self._places = np.empty(len(labels), np.int64)
        self._places[self._order] = np.arange(len(labels))

    def round(self, number: int) -> np.ndarray:
        """Return the row that is drawn for each row in round `number` (from 0), (rows,) int64.

        The only row of a class is paired with itself if a row of the same class is due.
        """
        coins = np.random.default_rng([self.seed, number // 2, 0]).random(self.rows) < 0.5
        is_same = coins if number % 2 == 0 else ~coins
        draw = np.random.default_rng([self.seed, number, 1]).random(self.rows)
        own = self._begins + self._skip(draw, self._sizes - 1, self._places - self._begins)
        steps = (draw * (self.rows - self._sizes)).astype(np.int64)
        other = steps + np.where(steps >= self._begins, self._sizes, 0)
        found: np.ndarray = self._order[np.where(is_same, own, other)]
        return found

    @staticmethod
    def _skip(draw: np.ndarray, count: np.ndarray, left_out: np.ndarray) -> np.ndarray:
        """Map `draw` to a number from 0 to `count`, excluding `left_out`, (rows,) each; 0 if `count` is 0."""
        steps = (draw * count).astype(np.int64)
        return np.where(count > 0, steps + (steps >= left_out), 0)
