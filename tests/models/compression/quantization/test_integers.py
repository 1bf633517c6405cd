"""Products of integers."""

from __future__ import annotations

import torch

from models.compression.quantization.integers import integer_product


def test_sums_of_integers_are_exact() -> None:
    generator = torch.Generator().manual_seed(0)
    left, right = (torch.randint(-127, 128, shape, generator=generator) for shape in ((9, 3072), (64, 3072)))
    found = integer_product(left.to(torch.int8), right.to(torch.int8))
    assert torch.equal(found.long(), left @ right.t())
