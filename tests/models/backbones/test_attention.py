"""Self-attention: every way to compute it gives the same numbers."""

from __future__ import annotations

import pytest
import torch

from models.backbones import attention
from models.backbones.attention import SelfAttention, padding_bias

MASK = torch.tensor([[1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0]])


def made() -> SelfAttention:
    torch.manual_seed(0)
    return SelfAttention(24, 3, 0.0).eval()


@pytest.mark.parametrize("shortest", [0, 1000])
@pytest.mark.parametrize("has_padding", [True, False])
def test_few_states_attend_as_they_do_among_all(
    shortest: int, has_padding: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attention, "FUSED_FROM", dict.fromkeys(attention.FUSED_FROM, shortest))
    layer, hidden = made(), torch.randn(2, 6, 24)
    bias = padding_bias(MASK, torch.float32) if has_padding else None
    few = layer(hidden, bias, hidden[:, :2])
    torch.testing.assert_close(few, layer(hidden, bias)[:, :2], rtol=1e-5, atol=1e-6)


def test_padding_is_never_attended_to() -> None:
    layer, hidden, bias = made(), torch.randn(2, 6, 24), padding_bias(MASK, torch.float32)
    changed = hidden.clone()
    changed[1, 3:] = 100.0
    torch.testing.assert_close(layer(changed, bias)[1, :3], layer(hidden, bias)[1, :3])


@pytest.mark.parametrize("has_padding", [True, False])
def test_bf16_training_multiplies_as_fused_attention_does(has_padding: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    layer, hidden = made(), torch.randn(2, 6, 24)
    bias, found = padding_bias(MASK, torch.float32) if has_padding else None, []
    for shortest in (0, 7):
        monkeypatch.setattr(attention, "FUSED_IN_BF16_TRAINING_FROM", shortest)
        with torch.autocast("cpu", torch.bfloat16):
            assert layer.is_fused(hidden) == (shortest == 0)
            with torch.no_grad():
                assert layer.is_fused(hidden)  # fused attention is slow backwards only
            out = layer(hidden, bias)
        found.append((out.float(), *torch.autograd.grad(out.float().square().sum(), [*layer.parameters()])))
    for one, other in zip(*found):
        assert (one - other).norm() <= 2e-2 * other.norm() + 2e-2


def test_a_hooked_projection_is_computed_for_every_token() -> None:
    layer, hidden, seen = made(), torch.randn(2, 6, 24), []
    layer.key.register_forward_hook(lambda _, args, out: seen.append(out.shape[1]))
    layer(hidden, None, hidden[:, :1])
    assert not layer.is_plain() and seen == [6]
