"""Coded layers: only the rows looked up are decoded, and loaded codes replace what was decoded."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from models.compression.quantization.coded import CodedLinear, CodedTable, Codes
from models.compression.quantization.grid import Grid


def test_a_look_up_decodes_the_rows_it_needs_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    import models.compression.quantization.coded as coded

    table = CodedTable(nn.Embedding(1000, 16), Grid(4))
    table.fill(torch.randn(1000, 16))
    whole = table.decoded_weight()
    seen: list[int] = []
    original = coded.unpack
    monkeypatch.setattr(coded, "unpack", lambda codes, *rest: (seen.append(len(codes)), original(codes, *rest))[1])
    ids = torch.tensor([[5, 999, 5], [0, 1, 2]])
    assert torch.equal(table(ids), whole[ids])
    assert torch.equal(table.first(3), whole[:3])
    assert seen == [6, 3]


def test_codes_loaded_after_an_answer_replace_the_decoded_weight() -> None:
    layers = [CodedLinear(nn.Linear(16, 8), Codes(8, 16, Grid(8))) for _ in range(2)]
    for layer in layers:
        layer.fill(torch.randn(8, 16))
        layer(torch.ones(1, 16))
    layers[0].load_state_dict(layers[1].state_dict())
    assert torch.equal(layers[0](torch.ones(1, 16)), layers[1](torch.ones(1, 16)))
