"""How the losses of the parts of a batch add up to the loss of the whole batch (train.accumulate).

The loss of a part may have two terms: the task's own, which is a mean over the weights of its labels, and one that a
hook or R-Drop adds, a mean over all items, with or without a label.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from runner.tasks.base import Task

Part = tuple[Mapping[str, np.ndarray], np.ndarray | None]  # targets, and which items have a label, None for all


class PartShare(NamedTuple):
    """The share of a part in the loss, and the factors of two terms within it: exactly 1 in a batch that is not split.

    own: the weight of an average label in the part, relative to that in the whole batch. matched: the share of the
    part's items that are compared with a teacher's, relative to that in the batch; not all are if pairs of documents
    are compared.
    """

    share: float
    own: float
    matched: float


def part_shares(task: Task, parts: Sequence[Part], soft: str = "kl") -> list[PartShare]:
    """Return the share of each part: that of its items. soft: how a hook compares outputs with a teacher's."""
    items = [task.items(targets) for targets, _ in parts]
    labelled = [task.items(targets, known) for targets, known in parts]
    weights = [task.weight(targets, known) for targets, known in parts]
    count = sum(items) or 1.0  # 0: no word of the batch was masked
    mean = _ratio(sum(weights), sum(labelled))
    means = [_ratio(weight, number) for weight, number in zip(weights, labelled)]
    matched = [task.items(targets, soft=soft) for targets, _ in parts]
    compared = _ratio(sum(matched), sum(items))
    return [
        PartShare(own / count, _ratio(one, mean), _ratio(_ratio(number, own), compared))
        for own, one, number in zip(items, means, matched)
    ]


def _ratio(one: float, other: float) -> float:
    """Return one / other; 1 if there is nothing to divide by, and no loss to multiply."""
    return one / other if other else 1.0
