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


def test_outcomes_are_the_loss_and_the_hit_of_each_position(factors: tuple[WordScores, Tensor]) -> None:
    words, labels = factors
    scores = (words.hidden @ words.table.T + words.bias).detach()
    labels[2] = scores[2].argmax()
    found = words.outcomes(labels)
    torch.testing.assert_close(found[:, 0], F.cross_entropy(scores, labels, reduction="none"))
    assert found[:, 1].tolist() == (scores.argmax(1) == labels).float().tolist() and found[:, 2].sum() == 7
