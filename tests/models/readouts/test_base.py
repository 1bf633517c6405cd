"""Shared by all readouts: the interface and its helpers."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from models.backbones.hooks import ALL
from models.errors import ModelError
from models.readouts.base import Readout, count_tokens, flatten_tokens, masked_sum

VECTORS = torch.arange(12.0).view(2, 3, 2)
MASK = torch.tensor([[1, 1, 0], [0, 0, 0]])


class Last(Readout):
    def forward(self, hidden: Tensor, mask: Tensor | None) -> Tensor:
        return hidden[:, 0]


class Every(Readout):
    layers_read = "all"

    def forward(self, states: list[Tensor], mask: Tensor | None) -> Tensor:
        return torch.cat([state[:, 0] for state in states], 1)


def test_a_readout_gets_the_states_it_declares() -> None:
    states = [VECTORS, VECTORS + 100]
    assert torch.equal(Last().read_out(states, None), states[-1][:, 0])
    assert torch.equal(Every().read_out(states, None), torch.cat([state[:, 0] for state in states], 1))
    assert torch.equal(Every().read_out(torch.stack(states), None), Every().read_out(states, None))


def test_a_readout_asks_for_nothing_unless_it_says_so() -> None:
    readout = Last()
    declared = (readout.first, readout.width, readout.head_dropout, readout.longest)
    assert declared == (None,) * 4 and not readout.reads_all_layers
    assert readout.hooks() == () and readout.wanted is ALL


def test_sums_and_counts_leave_padding_out() -> None:
    assert masked_sum(VECTORS, MASK).tolist() == [[2.0, 4.0], [0.0, 0.0]]
    assert masked_sum(VECTORS, None).tolist() == VECTORS.sum(1).tolist()
    assert count_tokens(VECTORS, MASK).tolist() == [[2.0], [1.0]]  # 1: an empty text is divided by no zero
    assert count_tokens(VECTORS, None).tolist() == [[3.0], [3.0]]


def test_tokens_side_by_side_are_padded_with_zeros_to_the_room_there_is() -> None:
    flat = flatten_tokens(VECTORS, MASK, 4)
    assert flat.tolist() == [[0.0, 1.0, 2.0, 3.0, 0.0, 0.0, 0.0, 0.0], [0.0] * 8]
    with pytest.raises(ModelError, match="a text of 3 tokens: this head was made for 2"):
        flatten_tokens(VECTORS, MASK, 2)
