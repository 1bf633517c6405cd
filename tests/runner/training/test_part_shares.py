"""Parts of a batch add up to the whole: class weights, rows without a label, and a loss beside the task's."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from runner.tasks.base import LabelFacts, Task
from runner.tasks.classification import Classification
from runner.tasks.rank import Rank
from runner.training.part_shares import part_shares

WEIGHTED = Classification(LabelFacts(("a", "b"), class_weights=np.float32([3.0, 0.5])))
LABELS = np.array([0, 1, 1, 0, 1, 0, 1])
GROUPS = np.array([0, 0, 1, 1, 1, 2, 2])
KNOWN = np.array([True, True, True, False, True, False, False])


def loss(task: Task, outputs: torch.Tensor, rows: slice, known: np.ndarray | None, factor: float) -> torch.Tensor:
    """The task's loss plus the distance from a teacher, of some rows."""
    groups = np.unique(GROUPS[rows], return_inverse=True)[1]
    targets = {"labels": torch.from_numpy(LABELS[rows]), "item_groups": torch.from_numpy(groups)}
    own = task.loss(outputs[rows], targets, None if known is None else known[rows])
    teacher = torch.arange(7 * outputs.shape[1]).reshape(7, -1).sin()
    soft = "kl" if isinstance(task, Classification) else "margin_mse"
    return own * factor + 0.7 * task.match(outputs[rows], teacher[rows], targets, soft=soft, temperature=1.0)


@pytest.mark.parametrize(
    ("task", "known"),
    [
        (WEIGHTED, None),
        (WEIGHTED, KNOWN),
        (Classification(), KNOWN),
        (Rank(), None),
        (Rank(LabelFacts(loss="hinge")), None),
    ],
)
def test_parts_have_the_gradient_of_the_whole_batch(task: Task, known: np.ndarray | None) -> None:
    torch.manual_seed(0)
    outputs = torch.randn(7, 2 if isinstance(task, Classification) else 1, requires_grad=True)
    (whole,) = torch.autograd.grad(loss(task, outputs, slice(None), known, 1.0), outputs)
    cut = [slice(0, 2), slice(2, 5), slice(5, 7)]  # the last one has no label where some are unknown
    targets = [{"labels": LABELS[rows], "item_groups": GROUPS[rows]} for rows in cut]
    shares = part_shares(task, [(one, None if known is None else known[rows]) for one, rows in zip(targets, cut)])
    terms = [share * loss(task, outputs, rows, known, factor) for rows, (share, factor) in zip(cut, shares)]
    (parts,) = torch.autograd.grad(torch.stack(terms).sum(), outputs)
    torch.testing.assert_close(parts, whole)


@pytest.mark.parametrize("name", ["pairwise", "hinge", "listwise"])
def test_groups_with_nothing_to_compare_count_as_in_the_whole_batch(name: str) -> None:
    task, groups, labels = Rank(LabelFacts(loss=name)), np.array([0, 1, 1, 2, 2, 3, 3]), np.array([1, 1, 0, 1, 0, 1, 0])
    outputs = torch.randn(7, 1, generator=torch.Generator().manual_seed(0))

    def of(rows: slice) -> dict[str, np.ndarray]:
        return {"labels": labels[rows], "item_groups": np.unique(groups[rows], return_inverse=True)[1]}

    def own(rows: slice) -> float:
        return float(task.loss(outputs[rows], {key: torch.from_numpy(value) for key, value in of(rows).items()}))

    cut = [slice(0, 3), slice(3, 7)]
    shares = part_shares(task, [(of(rows), None) for rows in cut])
    parts = sum(share * factor * own(rows) for rows, (share, factor) in zip(cut, shares))
    assert parts == pytest.approx(own(slice(None)), abs=1e-6)


def test_a_batch_that_is_not_split_and_equal_labels_have_a_factor_of_exactly_one() -> None:
    targets = {"labels": LABELS, "item_groups": GROUPS}
    assert part_shares(WEIGHTED, [(targets, KNOWN)]) == [(1.0, 1.0)]
    assert part_shares(WEIGHTED, [(targets, np.zeros(7, bool))]) == [(1.0, 1.0)]
    assert [factor for _, factor in part_shares(Classification(), [(targets, KNOWN), (targets, None)])] == [1.0, 1.0]
    nothing = {"labels": LABELS[:0]}
    assert part_shares(Classification(), [(nothing, None)]) == [(0.0, 1.0)], "no word of the batch was masked"
