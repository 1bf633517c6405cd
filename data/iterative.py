"""Iterative stratification: splits multi-label rows into parts that keep the share of every label.

Source: Sechidis, Tsoumakas & Vlahavas 2011, On the Stratification of Multi-Label Data, algorithm 1. The label with the
fewest rows left is assigned first, each of its rows to the part that needs it most.
"""

from __future__ import annotations

import numpy as np

from data.groups import STAYS


def deal(members: np.ndarray, rooms: np.ndarray, seed: int, sizes: np.ndarray | None = None) -> np.ndarray:
    """Return the part of each unit, (units,) int64.

    members: (units, C) how many rows of each unit have each label; rooms: (parts,) rows that each part should have;
    sizes: (units,) rows of each unit; None: one each, and then the parts have exactly the rows in `rooms`.
    """
    sizes = np.ones(len(members)) if sizes is None else sizes.astype(np.float64)
    rooms, found = rooms.astype(np.float64), np.full(len(members), -1, np.int64)
    lacking = np.outer(rooms / max(1.0, rooms.sum()), members.sum(axis=0))
    has, order = members > 0, np.random.default_rng(seed).permutation(len(members))
    left = has.sum(axis=0)

    def place(unit: int, wanted: np.ndarray) -> None:
        fits = rooms >= sizes[unit]
        ranks = np.lexsort((rooms, wanted, fits))  # the last key counts most
        part = ranks[-1] if fits.any() else int(rooms.argmax())
        found[unit], rooms[part] = part, rooms[part] - sizes[unit]
        lacking[part] -= members[unit]
        left[has[unit]] -= 1

    while left.any():
        label = int(np.where(left > 0, left, np.iinfo(np.int64).max).argmin())
        for unit in order[has[order, label] & (found[order] < 0)].tolist():
            place(unit, lacking[:, label])
    for unit in order[found[order] < 0].tolist():
        place(unit, rooms)
    return found


def cut_sets(
    members: np.ndarray, count: int, seed: int, groups: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return row numbers as (the rest, the `count` cut off), both sorted; every label keeps its share in both.

    members: (rows, C) bool, the labels of each row. groups: (rows,) rows with the same number stay together, and those
    of STAYS stay in the rest; only about `count` rows are then cut off.
    """
    rows, count = len(members), min(count, len(members))
    rooms = np.array([rows - count, count])
    counts = members.astype(np.int64)
    part = deal(counts, rooms, seed) if groups is None else deal_groups(members, rooms, seed, groups)
    return np.flatnonzero(part != 1), np.flatnonzero(part == 1)


def deal_groups(members: np.ndarray, rooms: np.ndarray, seed: int, groups: np.ndarray) -> np.ndarray:
    """Return the part of each row, (rows,) int64, the same for all rows of a group; STAYS for the rows of that group.

    members: (rows, C) the labels of each row; rooms: as in `deal`; groups: (rows,).
    """
    movable = np.flatnonzero(groups != STAYS)
    _, unit, sizes = np.unique(groups[movable], return_inverse=True, return_counts=True)
    counts = np.zeros((len(sizes), members.shape[1]), np.int64)
    np.add.at(counts, unit, members[movable].astype(np.int64))
    found = np.full(len(members), STAYS, np.int64)
    found[movable] = deal(counts, rooms, seed, sizes)[unit]
    return found
