"""A target is what rows are labelled with: how labels are read, and how they reach a batch."""

from __future__ import annotations

from abc import ABC
from typing import ClassVar

import numpy as np

from data.splits import Arrays, TokenSplit


class Target(ABC):
    """What the rows of a dataset are labelled with; made from the training rows."""

    name: ClassVar[str]

    def __init__(self, names: tuple[str, ...] = ()) -> None:
        self.names = names  # of the classes, in id order; () without classes

    def collate(self, split: TokenSplit, rows: np.ndarray, inputs: Arrays, epoch: int) -> Arrays:
        """Return the rows' targets; a target may change the inputs.

        `labels`: (B,), one a row. epoch: of the training, for targets that are drawn.
        """
        return {"labels": np.asarray(split.labels.values[rows])}
