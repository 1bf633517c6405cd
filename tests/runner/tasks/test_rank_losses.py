"""The losses of rankings against values computed by hand."""

from __future__ import annotations

import pytest
import torch

from runner.tasks.rank_losses import LOSSES, listwise_match, margin_mse

SCORES = torch.tensor([2.0, 1.0, 0.5])
GAINS = torch.tensor([1.0, 0.0, 0.0])
ONE = torch.zeros(3, dtype=torch.int64)
GOLDEN = {"pointwise": 0.804756, "pairwise": 0.257337, "hinge": 0.0, "listwise": 0.464369}


@pytest.mark.parametrize(("name", "value"), GOLDEN.items())
def test_losses_have_their_golden_values(name: str, value: float) -> None:
    assert float(LOSSES[name](SCORES, GAINS, GAINS > 0, ONE)) == pytest.approx(value, abs=1e-6)


def test_margins_are_compared_with_a_teachers() -> None:
    teacher = torch.tensor([3.0, 0.0, 2.0])  # margins 3 and 1
    assert float(margin_mse(SCORES, teacher, GAINS > 0, ONE)) == pytest.approx(2.125)


def test_lists_are_compared_as_distributions() -> None:
    teacher, own = torch.tensor([3.0, 0.0, 2.0]), torch.nn.functional
    wanted = 4 * own.kl_div((SCORES / 2).log_softmax(0), (teacher / 2).softmax(0), reduction="sum")
    found = listwise_match(SCORES.repeat(2), teacher.repeat(2), torch.tensor([0, 0, 0, 1, 1, 1]), 2.0, entropy=False)
    assert float(found) == pytest.approx(float(wanted), abs=1e-6)
    entropy = -((teacher / 2).softmax(0) * (SCORES / 2).log_softmax(0)).sum()
    assert float(listwise_match(SCORES, teacher, ONE, 2.0, entropy=True)) == pytest.approx(float(entropy), abs=1e-6)


@pytest.mark.parametrize("name", ["pairwise", "hinge", "listwise"])
def test_losses_are_means_over_groups_in_any_order(name: str) -> None:
    random = torch.Generator().manual_seed(0)
    scores = torch.randn(9, generator=random)
    gains = torch.tensor([2.0, 0, 1, 0, 1, 0, 0, 0, 0])
    groups = torch.tensor([0, 0, 0, 0, 1, 1, 1, 2, 2])  # the last has no relevant document, and does not count
    alone = [LOSSES[name](scores[g], gains[g], gains[g] > 0, torch.zeros_like(groups[g])) for g in
             (slice(0, 4), slice(4, 7))]  # fmt: skip
    assert float(LOSSES[name](scores, gains, gains > 0, groups)) == pytest.approx(float(sum(alone)) / 2, abs=1e-6)
    order = torch.randperm(9, generator=random)
    mixed = LOSSES[name](scores[order], gains[order], gains[order] > 0, groups[order])
    assert float(mixed) == pytest.approx(float(sum(alone)) / 2, abs=1e-6)
