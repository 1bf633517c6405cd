"""Dropout of dimensions and of whole tokens."""

from __future__ import annotations

import torch

from models.dropout import Dropout, TokenDropout


def test_dropout_zeroes_its_share_and_keeps_the_mean() -> None:
    torch.manual_seed(0)
    found = Dropout(0.25)(torch.ones(100_000))
    assert set(found.unique().tolist()) == {0.0, torch.tensor(1 / 0.75).item()}
    assert abs((found == 0).float().mean().item() - 0.25) < 0.01


def test_dropout_outside_training_is_the_input_itself() -> None:
    ones = torch.ones(3)
    assert Dropout(0.5).eval()(ones) is ones
    assert Dropout(0.0)(ones) is ones


def test_token_dropout_leaves_whole_tokens_out_and_padding_stays_out() -> None:
    torch.manual_seed(0)
    mask = torch.ones(50, 1000, dtype=torch.long)
    mask[:, 600:] = 0
    found = TokenDropout(0.2)(mask, mask)
    assert found is not None and not found[:, 600:].any()
    assert abs((found[:, :600] == 0).float().mean().item() - 0.2) < 0.01
    assert abs(found[:, :600].mean().item() - 1.0) < 0.01  # so a sum keeps its size
    assert TokenDropout(0.2).eval()(mask, mask) is mask
