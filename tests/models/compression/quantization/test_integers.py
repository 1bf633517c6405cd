"""Products of integers."""

from __future__ import annotations

import pytest
import torch

from models.compression.quantization.integers import integer_product


@pytest.mark.parametrize("columns", [1, 2, 3072])
@pytest.mark.parametrize("rows", [1, 64])
def test_sums_of_integers_are_exact(rows: int, columns: int) -> None:
    generator = torch.Generator().manual_seed(0)
    left, right = (torch.randint(-127, 128, (count, columns), generator=generator) for count in (9, rows))
    found = integer_product(left.to(torch.int8), right.to(torch.int8))
    assert torch.equal(found.long(), left @ right.t())
