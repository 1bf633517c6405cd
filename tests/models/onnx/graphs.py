"""How far two networks are apart."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


def difference(one: nn.Module, other: nn.Module, inputs: dict[str, Any]) -> float:
    with torch.inference_mode():
        return float((one(**inputs) - other(**inputs)).abs().max())
