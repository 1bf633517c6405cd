"""The losses of recovery."""

from __future__ import annotations

import pytest
import torch

from models.compression.structured.recovery import relative_state_loss


def test_the_losses_count_real_tokens_and_are_zero_for_the_dense_model_itself() -> None:
    states = torch.randn(2, 5, 8)
    mask = torch.tensor([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]])
    other = states.clone()
    other[0, 3:] += 9.0
    assert relative_state_loss(other, states, mask) == 0.0 and relative_state_loss(other, states, None) > 0
    assert float(relative_state_loss(torch.zeros_like(states), states, mask)) == pytest.approx(1.0)
