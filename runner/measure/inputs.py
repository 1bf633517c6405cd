"""Inputs for counting and timing a model: ids that occur in the data, in one fixed shape or as real rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from data.sampler import eval_batches
from data.splits import Arrays, TokenSplit

Inputs = dict[str, Tensor | None]  # keyword arguments of a model's forward

ROWS_PER_ROUND = 8  # real rows timed per round at batch 1, so that five rounds cover 40 lengths


@dataclass(frozen=True)
class Cell:
    """One shape to time: `batch_size` rows of `length` tokens, or `batch_size` real rows where length is None."""

    batch_size: int
    length: int | None

    @property
    def name(self) -> str:
        """Return the suffix of the cell's metric names, such as `b1_s128` or `b32_data`."""
        return f"b{self.batch_size}_" + ("data" if self.length is None else f"s{self.length}")


def draw_batch(split: TokenSplit, batch_size: int, length: int, *, seed: int = 0) -> Inputs:
    """Return unpadded inputs of one shape, drawn from the rows of the split."""
    return _tensors(split.input.example(split, batch_size, length, seed=seed))


def real_batches(split: TokenSplit, batch_size: int, rounds: int) -> list[Inputs]:
    """Return batches of real rows, grouped and padded as in evaluation, evenly spaced over the lengths.

    Round i uses batches i, i + rounds, ..., so each round sees short and long rows.
    """
    cut = eval_batches(np.asarray(split.lengths), batch_size=batch_size)
    full = [rows for rows in cut if len(rows) == batch_size] or cut  # the last, smaller batch would time fewer rows
    wanted = rounds * max(1, ROWS_PER_ROUND // batch_size)
    places = ((np.arange(min(wanted, len(full))) + 0.5) * len(full) / min(wanted, len(full))).astype(int)
    return [_tensors(split.input.collate(split, full[place])) for place in places]


def _tensors(arrays: Arrays) -> Inputs:
    """Return the arrays as tensors; `attention_mask` and `token_type_ids` are None if there are none."""
    optional: Inputs = {"attention_mask": None, "token_type_ids": None}
    return optional | {name: torch.from_numpy(array) for name, array in arrays.items()}


def to_device(inputs: Inputs, device: torch.device) -> Inputs:
    """Return the inputs with every tensor on the device."""
    return {name: None if value is None else value.to(device) for name, value in inputs.items()}


def device_of(model: nn.Module) -> torch.device:
    """Return the device of the model's first parameter, the CPU if it has none."""
    first = next(model.parameters(), None)
    return torch.device("cpu") if first is None else first.device


@contextmanager
def evaluating(*models: nn.Module) -> Iterator[None]:
    """Put models into eval mode for a block; afterwards the training flag of every module is restored."""
    flags = [(module, module.training) for model in models for module in model.modules()]
    for model in models:
        model.eval()
    try:
        yield
    finally:
        for module, training in flags:
            module.training = training
