"""The rules by which a row leaves, against values worked out by hand and those of the papers' code."""

from __future__ import annotations

import math

import pytest
import torch

from models.heads.exit_rules import (
    NEVER,
    RIGHT,
    WRONG,
    agreements,
    confidence,
    entropy,
    threshold_of,
    value_of,
    wrongness,
)

RULES = ("confidence", "entropy", "learned", "patience")


def exit_of(answers: list[int], patience: int) -> int:
    """The layer, from 1, at which these answers leave; the last one where they do not agree for so long."""
    count, last = torch.zeros(1), torch.tensor([float(answers[0])])
    for layer, answer in enumerate(answers[1:], 2):
        now = torch.tensor([float(answer)])
        count, last = agreements(now, last, count, 0.5), now
        if count >= patience:
            return layer
    return len(answers)


@pytest.mark.parametrize(
    ("answers", "exits"),
    [
        ([0, 0, 0, 1, 1, 1], [2, 3, 6, 6, 6]),
        ([0, 1, 1, 0, 0, 0], [3, 6, 6, 6, 6]),
        ([1, 1, 1, 1, 1, 1], [2, 3, 4, 5, 6]),
        ([0, 1, 0, 1, 0, 1], [6, 6, 6, 6, 6]),
    ],
)
def test_patience_leaves_where_answers_agreed_so_often_in_a_row(answers: list[int], exits: list[int]) -> None:
    assert [exit_of(answers, patience) for patience in range(1, 6)] == exits


def test_entropy_and_confidence_of_known_logits() -> None:
    logits = torch.tensor([[2.0, 0.0], [0.0, 0.0]], dtype=torch.float64)
    assert entropy(logits).tolist() == pytest.approx([0.365334, 0.693147], abs=1e-6)
    assert float(confidence(logits)[0]) == pytest.approx(0.880797, abs=1e-6)
    assert float(entropy(torch.tensor([[1.0, 2.0, 0.5]], dtype=torch.float64))) == pytest.approx(0.905959, abs=1e-6)
    assert float(confidence(logits, 2.0)[0]) == pytest.approx(1 / (1 + math.exp(-1)))


def test_numbers_agree_if_they_are_close() -> None:
    count = agreements(torch.ones(4), torch.tensor([1.2, 1.6, 1.5, 0.75]), torch.ones(4), 0.5)
    assert count.tolist() == [2, 0, 0, 2], "at a distance of 0.5 they no longer agree"


def test_wrongness_of_a_right_and_a_wrong_answer() -> None:
    found = wrongness(torch.tensor([RIGHT, WRONG], dtype=torch.float64))
    assert found.tolist() == pytest.approx([0.009950, 0.628423], abs=1e-6)


@pytest.mark.parametrize("rule", RULES)
def test_a_value_comes_back_from_its_threshold(rule: str) -> None:
    assert value_of(rule, threshold_of(rule, 0.25 if rule != "patience" else 2.0)) in (0.25, 2.0)


def test_the_strictest_value_lets_nothing_leave() -> None:
    assert threshold_of("confidence", 1.0) == threshold_of("entropy", 0.0) == threshold_of("learned", 0.0) == NEVER
    assert [value_of(rule, NEVER) for rule in RULES] == [1.0, 0.0, 0.0, NEVER]
