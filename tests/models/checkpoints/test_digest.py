"""The bytes of tensors: NumPy's own where it knows the type, and those of bfloat16."""

from __future__ import annotations

import pytest
import torch

from models.checkpoints.digest import tensor_bytes


@pytest.mark.parametrize(
    "tensor",
    [
        torch.arange(6.0).reshape(2, 3).T, torch.tensor(1.5), torch.zeros(0, 4), torch.tensor([True, False]),
        torch.tensor([[7]], dtype=torch.int64), torch.tensor([1, 255], dtype=torch.uint8), torch.ones(3).half(),
        torch.nn.Parameter(torch.tensor([0.1, -2.0])),
    ],
)  # fmt: skip
def test_the_bytes_are_those_of_numpy_so_that_digests_stay(tensor: torch.Tensor) -> None:
    assert tensor_bytes(tensor) == tensor.detach().contiguous().numpy().tobytes()


def test_bfloat16_is_the_upper_half_of_float32() -> None:
    assert tensor_bytes(torch.tensor([1.0, -2.0], dtype=torch.bfloat16)) == b"\x80\x3f\x00\xc0"
    assert tensor_bytes(torch.tensor(1.0, dtype=torch.bfloat16)) == b"\x80\x3f"
