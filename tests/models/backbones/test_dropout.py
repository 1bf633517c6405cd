"""Dropout of dimensions and of whole tokens."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from models.backbones.dropout import Dropout, DropoutGenerator, TokenDropout, dropout_generator, switch_dropout_off


def test_dropout_zeroes_its_share_and_keeps_the_mean() -> None:
    dropout_generator.seed(0)
    found = Dropout(0.25)(torch.ones(100_000))
    assert set(found.unique().tolist()) == {0.0, torch.tensor(1 / 0.75).item()}
    assert abs((found == 0).float().mean().item() - 0.25) < 0.01


@pytest.mark.parametrize("p", [0.01, 0.1, 1 / 3, 0.99])
def test_the_share_is_that_of_the_setting_and_places_are_independent(p: float) -> None:
    kept, scale = DropoutGenerator(1).draw(torch.Size([1000, 1000]), p)
    assert abs(1 - kept.mean().item() - p) < 5 * (p * (1 - p) / 1e6) ** 0.5 + 1e-5
    assert abs(scale * (1 - p) - 1) < 1e-3
    for other in (kept[1:, :], kept.roll(1, 1)[1:, :]):  # neighbours in both directions
        both = ((1 - kept[:-1]) * (1 - other)).mean().item()
        assert abs(both - p * p) < 6e-3 * p**0.5


def test_the_gradient_passes_where_the_value_did() -> None:
    dropout_generator.seed(0)
    ones = torch.ones(1000, requires_grad=True)
    found = Dropout(0.5)(ones)
    found.sum().backward()
    assert torch.equal(ones.grad, found)  # type: ignore[arg-type]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_adding_the_residual_in_one_pass_changes_nothing(dtype: torch.dtype) -> None:
    dropout, inner, residual = Dropout(0.3), torch.randn(4, 5, 6).to(dtype), torch.randn(4, 5, 6)
    dropout_generator.seed(3)
    together = dropout.add(inner, residual)
    dropout_generator.seed(3)
    torch.testing.assert_close(together, dropout(inner) + residual)
    assert torch.equal(dropout.eval().add(inner, residual), inner + residual)


def test_the_stream_goes_on_from_a_stored_state() -> None:
    one, other = DropoutGenerator(5), DropoutGenerator(6)
    one.draw(torch.Size([777]), 0.5)
    state = one.state()
    other.load(state)
    assert torch.equal(one.draw(torch.Size([99]), 0.5)[0], other.draw(torch.Size([99]), 0.5)[0])
    assert not torch.equal(
        DropoutGenerator(5).draw(torch.Size([99]), 0.5)[0], DropoutGenerator(6).draw(torch.Size([99]), 0.5)[0]
    )


def test_dropout_outside_training_is_the_input_itself() -> None:
    ones = torch.ones(3)
    assert Dropout(0.5).eval()(ones) is ones
    assert Dropout(0.0)(ones) is ones


def test_token_dropout_leaves_whole_tokens_out_and_padding_stays_out() -> None:
    torch.manual_seed(0)
    mask = torch.ones(50, 1000, dtype=torch.long)
    mask[:, 600:] = 0
    found = TokenDropout(0.2)(mask.shape, mask.device, mask)
    assert found is not None and not found[:, 600:].any()
    assert abs((found[:, :600] == 0).float().mean().item() - 0.2) < 0.01
    assert abs(found[:, :600].mean().item() - 1.0) < 0.01  # so a sum keeps its size
    assert TokenDropout(0.2).eval()(mask.shape, mask.device, mask) is mask


def test_a_model_without_dropout_repeats_its_outputs_and_has_gradients_of_recurrent_layers() -> None:
    model = nn.Sequential(nn.Linear(3, 4), Dropout(0.5), nn.LSTM(4, 4)).train()
    switch_dropout_off(model)
    inputs = torch.ones(2, 1, 3)
    assert torch.equal(model(inputs)[0], model(inputs)[0])
    assert not model.training and model[2].training, "cuDNN computes gradients of a recurrent layer in training only"
