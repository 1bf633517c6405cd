"""The losses of recovery."""

from __future__ import annotations

import pytest
import torch

from models.compression.structured.recovery import answer_loss, relative_state_loss


def test_the_losses_count_real_tokens_and_are_zero_for_the_dense_model_itself() -> None:
    states = torch.randn(2, 5, 8)
    mask = torch.tensor([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]])
    other = states.clone()
    other[0, 3:] += 9.0
    assert relative_state_loss(other, states, mask) == 0.0 and relative_state_loss(other, states, None) > 0
    assert float(relative_state_loss(torch.zeros_like(states), states, mask)) == pytest.approx(1.0)
    logits = torch.randn(4, 3)
    assert float(answer_loss(logits, logits, 2.0, "classification")) == pytest.approx(0.0, abs=1e-6)
    expected = (
        4 * (logits / 2).softmax(-1).mul((logits / 2).log_softmax(-1) - (-logits / 2).log_softmax(-1)).sum(-1).mean()
    )
    torch.testing.assert_close(answer_loss(-logits, logits, 2.0, "classification"), expected)
    assert float(answer_loss(logits + 2, logits, 2.0, "regression")) == pytest.approx(4.0)
    assert float(answer_loss(logits + 2, logits, 2.0, "regression", scale=4.0)) == pytest.approx(0.25)
