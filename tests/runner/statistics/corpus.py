"""Stored answers of models that do not exist: the same arrays wherever they are made."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Case:
    """Labels, and the answers of several models to the same rows: outputs (rows, C), or sums of blocks (rows, 3)."""

    task: str
    labels: np.ndarray
    outputs: tuple[np.ndarray, ...]
    scores: tuple[str, ...]
    classes: int = 0
    positive: int = 1
    train: np.ndarray = field(default_factory=lambda: np.zeros(1, np.int64))  # labels that a baseline is made from


def _noise(seed: int, *shape: int) -> np.ndarray:
    """Numbers of 0..1 from integer arithmetic alone: no generator of a library decides about them."""
    count = int(np.prod(shape))
    found, state = np.empty(count), (seed * 2654435761 + 12345) % 2**31
    for place in range(count):
        state = (1103515245 * state + 12345) % 2**31
        found[place] = (state >> 8) / 2**23
    return found.reshape(shape)


def _logits(seed: int, labels: np.ndarray, classes: int, skill: float) -> np.ndarray:
    return (_noise(seed, len(labels), classes) + skill * np.eye(classes)[labels]).astype(np.float32)


def _classes(seed: int, rows: int, classes: int, models: int) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    labels = (_noise(seed, rows) * classes).astype(np.int64)
    skills = [0.15 + 0.1 * (number % 3) for number in range(models)]
    return labels, tuple(_logits(seed + 1 + number, labels, classes, skill) for number, skill in enumerate(skills))


def _imbalanced() -> Case:
    labels = (_noise(40, 400) < 0.05).astype(np.int64)
    constant = np.tile(np.float32([1.0, 0.0]), (400, 1))
    others = [_logits(41 + number, labels, 2, 0.5 + 0.2 * number) for number in range(4)]
    return Case("classification", labels, (constant, others[0], constant, others[1], others[2], others[3]), CLASSES_2,
                classes=2, train=(_noise(50, 900) < 0.06).astype(np.int64))  # fmt: skip


def _numbers() -> Case:
    labels = (np.floor(_noise(60, 250) * 26) / 5).astype(np.float32)  # ties, as people give marks
    outputs = [
        (labels + 3 * (_noise(61 + number, 250) - 0.5) * (number + 1)).round(1).astype(np.float32)[:, None]
        for number in range(5)
    ]
    constant = np.full((250, 1), 2.5, np.float32)
    return Case("regression", labels, (outputs[0], outputs[1], constant, outputs[2], outputs[3], outputs[4]),
                ("spearman", "pearson", "mse"), train=(_noise(70, 500) * 5).astype(np.float32))  # fmt: skip


def _words() -> Case:
    masked = np.floor(_noise(80, 120) * 30).astype(np.float32)  # some blocks have none
    models = []
    for number in range(2):
        loss = (masked * (3 + 2 * _noise(81 + number, 120))).astype(np.float32)
        right = np.floor(masked * _noise(91 + number, 120)).astype(np.float32)
        models.append(np.stack([loss, right, masked], axis=1))
    return Case("mlm", np.zeros(120, np.int64), tuple(models), ("perplexity", "masked_accuracy"))


CLASSES_2 = ("accuracy", "balanced_accuracy", "f1", "precision", "recall", "f1_macro", "mcc")
CLASSES_N = ("accuracy", "balanced_accuracy", "f1_macro", "mcc")


def corpus() -> dict[str, Case]:
    """The cases by name; models 0, 2, 4 are one side of a comparison, models 1, 3, 5 the other."""
    two, five = _classes(1, 300, 2, 6), _classes(20, 350, 5, 6)
    seen = _classes(11, 700, 2, 0)[0], _classes(30, 700, 5, 0)[0]
    return {
        "two classes": Case("classification", *two, CLASSES_2, classes=2, train=seen[0]),
        "two classes, the first is positive": Case(
            "classification", *two, ("f1", "precision", "recall"), classes=2, positive=0, train=seen[0]
        ),
        "five classes": Case("classification", *five, CLASSES_N, classes=5, train=seen[1]),
        "rare class": _imbalanced(),
        "numbers": _numbers(),
        "masked words": _words(),
    }
