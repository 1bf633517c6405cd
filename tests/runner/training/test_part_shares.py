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
LONELY = np.array([1, 1, 1, 0, 0, 1, 1])  # labels with which the first and the last group have no pair
KNOWN = np.array([True, True, True, False, True, False, False])


def soft_of(task: Task) -> str:
    return "kl" if isinstance(task, Classification) else "margin_mse"


def targets_of(rows: slice, labels: np.ndarray, groups: np.ndarray) -> dict[str, np.ndarray]:
    return {"labels": labels[rows], "item_groups": np.unique(groups[rows], return_inverse=True)[1]}


def loss(
    task: Task, outputs: torch.Tensor, targets: dict[str, np.ndarray], rows: slice, known: np.ndarray | None,
    factor: float = 1.0, matched: float = 1.0,
) -> torch.Tensor:  # fmt: skip
    """The task's loss plus the distance from a teacher, of some rows."""
    given = {name: torch.from_numpy(array) for name, array in targets.items()}
    own = task.loss(outputs[rows], given, known)
    teacher = torch.arange(7 * outputs.shape[1]).reshape(7, -1).sin()
    apart = task.match(outputs[rows], teacher[rows], given, soft=soft_of(task), temperature=1.0)
    return own * factor + 0.7 * apart * matched


@pytest.mark.parametrize(
    ("task", "known", "labels"),
    [
        (WEIGHTED, None, LABELS),
        (WEIGHTED, KNOWN, LABELS),
        (Classification(), KNOWN, LABELS),
        (Rank(), None, LABELS),
        (Rank(LabelFacts(loss="hinge")), None, LABELS),
        (Rank(), None, LONELY),
        (Rank(LabelFacts(loss="hinge")), None, LONELY),
    ],
)
def test_parts_have_the_gradient_of_the_whole_batch(task: Task, known: np.ndarray | None, labels: np.ndarray) -> None:
    torch.manual_seed(0)
    outputs = torch.randn(7, 2 if isinstance(task, Classification) else 1, requires_grad=True)
    everything = slice(None)
    whole = loss(task, outputs, targets_of(everything, labels, GROUPS), everything, known)
    cut = [slice(0, 2), slice(2, 5), slice(5, 7)]  # the last one has no label where some are unknown
    own = [(targets_of(rows, labels, GROUPS), None if known is None else known[rows]) for rows in cut]
    terms = [
        share * loss(task, outputs, one[0], rows, one[1], *factors)
        for rows, one, (share, *factors) in zip(cut, own, part_shares(task, own, soft_of(task)))
    ]
    (parts,) = torch.autograd.grad(torch.stack(terms).sum(), outputs)
    torch.testing.assert_close(parts, torch.autograd.grad(whole, outputs)[0])


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
    parts = sum(share * factor * own(rows) for rows, (share, factor, _) in zip(cut, shares))
    assert parts == pytest.approx(own(slice(None)), abs=1e-6)


def test_a_batch_that_is_not_split_and_equal_labels_have_a_factor_of_exactly_one() -> None:
    targets = {"labels": LABELS, "item_groups": GROUPS}
    assert part_shares(WEIGHTED, [(targets, KNOWN)]) == [(1.0, 1.0, 1.0)]
    assert part_shares(WEIGHTED, [(targets, np.zeros(7, bool))]) == [(1.0, 1.0, 1.0)]
    assert [factor for _, factor, _ in part_shares(Classification(), [(targets, KNOWN), (targets, None)])] == [1.0, 1.0]
    nothing = {"labels": LABELS[:0]}
    assert part_shares(Classification(), [(nothing, None)]) == [(0.0, 1.0, 1.0)], "no word of the batch was masked"
