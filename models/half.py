"""Numbers that a file keeps in 16 bits: all of a model that is not in codes, where a stage has rounded it to fp16.

The network computes in float32 on the rounded numbers, so what is saved and opened again is the same, bit for bit.
"""

from __future__ import annotations

import torch
from torch import Tensor

from models.json_types import JsonObject

HALF = "fp16"


def is_half(architecture: JsonObject) -> bool:
    """Does the saved file of the model that this config.json describes keep its floats in 16 bits?"""
    return any(entry.get("rest") == HALF for entry in architecture.get("compressed", ()))


def to_half(tensor: Tensor) -> Tensor:
    """A float32 tensor in fp16; one with numbers that fp16 has no room for, and any other kind, as it is."""
    if tensor.dtype != torch.float32:
        return tensor
    found = tensor.half()
    return found if bool(found.isfinite().all()) else tensor
