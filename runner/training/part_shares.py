"""How the losses of the parts of a batch add up to the loss of the whole batch (train.accumulate).

The loss of a part may have two terms: the task's own, which is a mean over the weights of its labels, and one that a
hook or R-Drop adds, a mean over all items, with or without a label.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from runner.tasks.base import Task

Part = tuple[Mapping[str, np.ndarray], np.ndarray | None]  # targets, and which items have a label, None for all


def part_shares(task: Task, parts: Sequence[Part]) -> list[tuple[float, float]]:
    """Return for each part its share of the loss, and the factor of the task's own loss within it.

    The shares are those of the items. The factor is how much an average label of the part weighs, compared with one of
    the whole batch: exactly 1 where all labels weigh the same, and of a batch that is not split.
    """
    items = [task.items(targets) for targets, _ in parts]
    labelled = [task.items(targets, known) for targets, known in parts]
    weights = [task.weight(targets, known) for targets, known in parts]
    count = sum(items) or 1.0  # 0: no word of the batch was masked
    mean = _ratio(sum(weights), sum(labelled))
    means = [_ratio(weight, number) for weight, number in zip(weights, labelled)]
    return [(own / count, _ratio(one, mean)) for own, one in zip(items, means)]


def _ratio(one: float, other: float) -> float:
    """Return one / other; 1 where there is nothing to divide by, and no loss to multiply."""
    return one / other if other else 1.0
