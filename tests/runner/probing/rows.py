"""Made-up vectors in which one layer says the label and the other says nothing."""

from __future__ import annotations

import numpy as np

from runner.probing.probe import Rows, Splits

SAID, SILENT = 0, 1  # the layers


def made_rows(count: int, seed: int, hidden: int = 8, noise: float = 0.3) -> Rows:
    """Rows of two layers, (count, 2, hidden), and two classes."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(2, size=count)
    vectors = generator.normal(size=(count, 2, hidden)).astype(np.float32)
    vectors[:, SAID, 0] = (2 * labels - 1) + noise * vectors[:, SAID, 0]
    return Rows(vectors, labels)


def made_splits(count: int = 300) -> Splits:
    """Three splits of such rows."""
    return {which: made_rows(count, seed) for seed, which in enumerate(("train", "select", "report"))}
