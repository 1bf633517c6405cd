"""BERTVision's learned pooling before its adapter: each token's states are mixed into one, which is then projected.

z[t] = gelu(W m[t] + b),   m = the weighted sum of the layers, with learned or equal weights
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from models.readouts.adapter_pool import AdapterPool
from models.readouts.layer_mix import make_mix


class MixAdapter(AdapterPool):
    """The readout: an adapter pooler over the mixed layers; with `skip`, each token's last state is appended."""

    def __init__(self, hidden: int, layers: int, *, weights: str, **options: Any) -> None:
        super().__init__(hidden, 0, shared=True, **options)
        self.mix = make_mix(layers + 1, weights)

    def narrow(self, states: list[Tensor]) -> Tensor:
        """Mix the layers and project the result to (..., size), plus H with the skip connection."""
        made = F.gelu(self.adapter[0](self.mix(torch.stack(states, -2))))
        return torch.cat([made, states[-1]], -1) if self.skip else made
