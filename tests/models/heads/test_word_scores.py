"""The cross entropy of words in parts; tests/models/heads/test_words.py compares whole models."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from models.heads.word_scores import WordScores


@pytest.fixture
def factors() -> tuple[WordScores, Tensor]:
    torch.manual_seed(0)
    hidden, table, bias = (torch.randn(*shape, requires_grad=True) for shape in ((7, 8), (50, 8), (50,)))
    return WordScores(hidden, table, bias), torch.randint(50, (7,))


@pytest.mark.parametrize("chunk", [1, 3 * 50, 1 << 22])
def test_loss_and_gradients_are_those_of_the_whole_product(
    factors: tuple[WordScores, Tensor], chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.heads.word_scores.CHUNK", chunk)
    words, labels = factors
    whole = F.cross_entropy(words.hidden @ words.table.T + words.bias, labels, reduction="sum")
    expected = torch.autograd.grad(whole, words)
    found = words.cross_entropy(labels)
    torch.testing.assert_close(found, whole)
    for one, other in zip(torch.autograd.grad(3 * found, words), expected):
        torch.testing.assert_close(one, 3 * other)


def test_loss_and_gradients_in_bf16_are_within_its_rounding() -> None:
    torch.manual_seed(0)
    hidden, table, bias = (torch.randn(*shape, requires_grad=True) for shape in ((60, 16), (400, 16), (400,)))
    labels = torch.randint(400, (60,))
    whole = F.cross_entropy(hidden @ table.T + bias, labels, reduction="sum")
    expected = torch.autograd.grad(whole, (hidden, table, bias))
    found = WordScores(hidden.bfloat16(), table, bias).cross_entropy(labels)
    assert abs(found - whole) < 3e-3 * whole
    for one, other in zip(torch.autograd.grad(found, (hidden, table, bias)), expected):
        assert one.dtype == torch.float32 and (one - other).norm() < 1e-2 * other.norm()


def test_a_word_without_any_probability_costs_87_nats_and_keeps_its_gradient() -> None:
    hidden, table = torch.tensor([[1.0]], requires_grad=True), torch.tensor([[0.0], [500.0]])
    loss = WordScores(hidden, table, torch.zeros(2)).cross_entropy(torch.tensor([0]))
    (gradient,) = torch.autograd.grad(loss, hidden)
    assert 87 < loss.item() < 88 and gradient.item() == 500


def test_outcomes_are_the_loss_and_the_hit_of_each_position(factors: tuple[WordScores, Tensor]) -> None:
    words, labels = factors
    scores = (words.hidden @ words.table.T + words.bias).detach()
    labels[2] = scores[2].argmax()
    found = words.outcomes(labels)
    torch.testing.assert_close(found[:, 0], F.cross_entropy(scores, labels, reduction="none"))
    assert found[:, 1].tolist() == (scores.argmax(1) == labels).float().tolist() and found[:, 2].sum() == 7
