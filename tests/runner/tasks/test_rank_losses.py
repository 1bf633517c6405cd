"""The losses of rankings against values computed by hand."""

from __future__ import annotations

import math
from statistics import fmean

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


@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_lists_are_compared_as_distributions(temperature: float) -> None:
    teacher, own = torch.tensor([3.0, 0.0, 2.0]), torch.nn.functional
    shares, logs = (teacher / temperature).softmax(0), (SCORES / temperature).log_softmax(0)
    wanted = temperature**2 * own.kl_div(logs, shares, reduction="sum")
    twice = SCORES.repeat(2), teacher.repeat(2), torch.tensor([0, 0, 0, 1, 1, 1])
    assert float(listwise_match(*twice, temperature, entropy=False)) == pytest.approx(float(wanted), abs=1e-6)
    assert float(listwise_match(*twice, temperature, entropy=True)) == pytest.approx(float(-(shares * logs).sum()))


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


def test_losses_over_pairs_and_lists_are_those_of_their_definitions() -> None:
    random = torch.Generator().manual_seed(1)
    scores, teacher = torch.randn(2, 5, generator=random, dtype=torch.float64).tolist()
    gains = [2.0, 0.0, 1.0, 0.0, 0.0]
    pairs = [(i, j) for i in range(5) for j in range(5) if gains[i] > 0 and gains[j] == 0]
    margins = [scores[i] - scores[j] for i, j in pairs]
    wanted = [teacher[i] - teacher[j] for i, j in pairs]
    exponentials = sum(math.exp(score) for score in scores)
    expected = {
        "pairwise": fmean(math.log(1 + math.exp(-margin)) for margin in margins),
        "hinge": fmean(max(0.0, 1 - margin) for margin in margins),
        "listwise": -(2 / 3 * math.log(math.exp(scores[0]) / exponentials)
                      + 1 / 3 * math.log(math.exp(scores[2]) / exponentials)),
        "margin_mse": fmean((own - other) ** 2 for own, other in zip(margins, wanted)),
    }  # fmt: skip
    assert any(margin > 1 for margin in margins) and any(margin < 1 for margin in margins), "both sides of the hinge"
    groups, relevant = torch.zeros(5, dtype=torch.int64), torch.tensor(gains) > 0
    found = {
        name: float(loss(torch.tensor(scores), torch.tensor(gains), relevant, groups)) for name, loss in LOSSES.items()
    }
    found["margin_mse"] = float(margin_mse(torch.tensor(scores), torch.tensor(teacher), relevant, groups))
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=1e-6)


def test_a_group_with_relevant_documents_alone_does_not_count_among_pairs() -> None:
    scores, gains = torch.tensor([0.5, 1.0, 0.2, 0.9]), torch.tensor([1.0, 0.0, 1.0, 1.0])
    groups = torch.tensor([0, 0, 1, 1])
    for loss in (LOSSES["pairwise"], LOSSES["hinge"]):
        alone = loss(scores[:2], gains[:2], gains[:2] > 0, groups[:2])
        assert float(alone) > 0 and float(loss(scores, gains, gains > 0, groups)) == pytest.approx(float(alone))
        assert float(loss(scores[2:], gains[2:], gains[2:] > 0, groups[:2])) == 0.0, "no pair at all"
    nothing = LOSSES["listwise"](scores, gains * 0, gains > 1, groups)
    assert float(nothing) == 0.0, "no group has a relevant document"
