"""Floats in 16 bits: which ones, and where config.json says so."""

from __future__ import annotations

import torch

from models.half import is_half, to_half


def test_floats_are_halved_and_all_else_stays() -> None:
    assert to_half(torch.tensor([0.1, 2.0])).dtype == torch.float16
    for tensor in (torch.tensor([1e5, 1.0]), torch.tensor([1], dtype=torch.uint8), torch.ones(1, dtype=torch.float64)):
        assert to_half(tensor) is tensor, "beyond fp16, or no float32"


def test_a_stage_says_so_in_config_json() -> None:
    assert is_half({"compressed": [{"method": "length"}, {"method": "weight_only", "rest": "fp16"}]})
    assert not is_half({"compressed": [{"method": "weight_only"}]}) and not is_half({})
