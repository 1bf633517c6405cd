"""The bytes of tensors, for digests of weights."""

from __future__ import annotations

import torch
from torch import Tensor


def tensor_bytes(tensor: Tensor) -> bytes:
    """The bytes of a tensor's values in memory, of any type; NumPy has no bfloat16, so they are read as bytes."""
    values = tensor.detach().cpu().contiguous().reshape(-1)  # a scalar cannot be viewed as another type
    return values.view(torch.uint8).numpy().tobytes()
