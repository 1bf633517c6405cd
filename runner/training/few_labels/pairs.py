"""Pairs of rows to tune an encoder on: two rows of one class, or of two; drawn when they are needed, never listed.

The training goes through the rows 2 R times, in rounds. In each round a row is the first of one pair, whose other row
is drawn from its class or from all others; over two rounds each row has one pair of both kinds.
"""

from __future__ import annotations

import math

import numpy as np

MOST, ABOUT = 20, 20_000  # pairs of each kind a row, and all pairs: more repeat themselves (SetFit's R, issues 86, 258)


def pair_counts(labels: np.ndarray) -> tuple[int, int]:
    """Return how many different pairs of one class and of two classes there are among rows with these labels."""
    sizes = np.unique(labels, return_counts=True)[1].astype(int).tolist()
    same = sum(size * (size - 1) // 2 for size in sizes)
    return same, len(labels) * (len(labels) - 1) // 2 - same


def pairs_a_row(wanted: str, rows: int) -> int:
    """Return R, the pairs of each kind a row; wanted: auto or a number."""
    return min(MOST, math.ceil(ABOUT / (2 * rows))) if wanted == "auto" else int(wanted)


class Pairs:
    """Draws the rounds: a pure function of labels, seed and number, so a checkpoint stores only where it stands."""

    def __init__(self, labels: np.ndarray, seed: int) -> None:
        """labels: (rows,) class numbers, of two classes at least."""
        self.seed, self.rows = seed, len(labels)
        self._order = np.argsort(labels, kind="stable")  # rows class by class
        _, classes, sizes = np.unique(labels, return_inverse=True, return_counts=True)
        begins = np.concatenate([[0], np.cumsum(sizes)])[:-1]
        self._begins, self._sizes = begins[classes], sizes[classes]  # of each row's class in that order
        self._places = np.empty(len(labels), np.int64)
        self._places[self._order] = np.arange(len(labels))

    def round(self, number: int) -> np.ndarray:
        """Return the row that is drawn for each row in a round, from 0, (rows,) int64.

        The only row of a class is paired with itself where it should have one of its class.
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
        """Return numbers from 0 to `count` but for `left_out`, (rows,) each; 0 where there is no other one."""
        steps = (draw * count).astype(np.int64)
        return np.where(count > 0, steps + (steps >= left_out), 0)
