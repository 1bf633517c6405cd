"""The work that early exits save: how many layers ran for the rows of a split, and their multiply-adds."""

from __future__ import annotations

import numpy as np
from torch import nn

from data.splits import TokenSplit
from models.backbones.bert import Bert
from models.heads.exits import exits_of
from models.heads.linear import LinearHead
from runner.measure.inputs import device_of, real_batches, to_device
from runner.measure.macs import count_macs

ROWS = 20  # rounds of `real_batches`, which at batch 1 takes ROWS_PER_ROUND rows for each


def exit_metrics(model: nn.Module) -> dict[str, float]:
    """Return the `exits/*` metrics of the rows that a model has processed since the last call; {} without exits."""
    exits = exits_of(model)
    if exits is None or not isinstance(model, LinearHead) or not isinstance(model.bert, Bert):
        return {}
    counts = exits.take_counts(model.bert.state_shape()[1])
    rows = sum(counts.values())
    if not rows:
        return {}
    mean = sum(layer * count for layer, count in counts.items()) / rows
    return {"exits/mean_layers": mean} | {f"exits/share_{layer}": n / rows for layer, n in counts.items()}


def mean_macs(model: nn.Module, split: TokenSplit) -> float:
    """Return the mean multiply-adds of a row of a split, over rows of all lengths, one at a time."""
    rows = real_batches(split, 1, ROWS)
    return float(np.mean([count_macs(model, to_device(inputs, device_of(model))) for inputs in rows]))
