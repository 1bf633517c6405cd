"""Saves float tensors in 16 bits, for models that a compression stage has rounded to fp16 (except quantized weights).

The network computes in float32 on the rounded numbers, so saving and loading a model changes no bit.
"""

from __future__ import annotations

import torch
from torch import Tensor

from models.json_types import JsonObject

HALF = "fp16"


def is_half(architecture: JsonObject) -> bool:
    """Does the saved file of the model with this config.json hold its floats in 16 bits?"""
    return any(entry.get("rest") == HALF for entry in architecture.get("compressed", ()))


def to_half(tensor: Tensor) -> Tensor:
    """Convert a float32 tensor to fp16; return it unchanged if a value overflows or if it has another dtype."""
    if tensor.dtype != torch.float32:
        return tensor
    found = tensor.half()
    return found if bool(found.isfinite().all()) else tensor


def stored_in_half(tensor: Tensor) -> Tensor:
    """Convert a tensor to fp16 for a file if that changes no value; else return it unchanged, such as a threshold."""
    found = to_half(tensor)
    return found if torch.equal(found.to(tensor.dtype), tensor) else tensor
