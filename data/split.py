"""Seeded, stratified choices of rows. The split that selects is cut off train and never reported."""

from __future__ import annotations

import numpy as np


def pick(labels: np.ndarray, count: int, seed: int, stratify: bool) -> np.ndarray:
    """`count` row numbers, sorted; with `stratify` each class keeps its share (largest remainders, at least one)."""
    random = np.random.default_rng(seed)
    rows = len(labels)
    if count >= rows:
        return np.arange(rows)
    if not stratify:
        return np.sort(random.permutation(rows)[:count])
    classes, inverse, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    exact = sizes * (count / rows)
    wanted = np.floor(exact).astype(int)
    if count >= len(classes):
        wanted = np.maximum(wanted, 1)
    for index in np.argsort(-(exact - np.floor(exact)), kind="stable"):
        if wanted.sum() >= count:
            break
        wanted[index] += 1
    while wanted.sum() > count:
        wanted[np.argmax(wanted)] -= 1
    chosen = [random.permutation(np.flatnonzero(inverse == i))[: wanted[i]] for i in range(len(classes))]
    return np.sort(np.concatenate(chosen))


def cut(labels: np.ndarray, count: int, seed: int, stratify: bool) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers as (the rest, the `count` cut off), both sorted and disjoint."""
    taken = pick(labels, count, seed, stratify)
    return np.setdiff1d(np.arange(len(labels)), taken, assume_unique=True), taken
