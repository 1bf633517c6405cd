"""BERTVision's in-line variant, the "parasite": a tiny module before every block of an encoder that may be frozen.

    x_i + up(gelu(down(c + sum over t, j of w_tj x_tj))) is the input of block i; j: the last `reach` states, x_i last

Each module computes one vector per text and adds it to all tokens. The head reads the first token of the last block,
without BERT's pooler (github.com/cbenge509/BERTVision, 2021, has a sigmoid before the cross-entropy; here the head
returns logits). Initially w = 0 and c = 0, which leaves the encoder's output unchanged. Padding is ignored, so a
prediction does not depend on the batch.
"""

from __future__ import annotations

from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.backbones.hooks import LayerHook, State
from models.errors import ModelError, check_option
from models.readouts.base import Readout, check_length


class InlineModule(nn.Module):
    """The module before one block; it reads `reach` states of at most `length` tokens."""

    def __init__(self, hidden: int, size: int, reach: int, length: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(reach, length))
        self.bias = nn.Parameter(torch.zeros(hidden))
        self.down, self.up = nn.Linear(hidden, size), nn.Linear(size, hidden)

    def forward(self, states: list[Tensor], mask: Tensor | None) -> Tensor:
        """The vector to add to the last of the states (B, T, H): (B, 1, H)."""
        reach, length = len(self.weight), states[-1].shape[1]
        check_length(length, self.weight.shape[1])
        weight = self.weight[:, None, None, :length]  # (reach, 1, 1, T)
        if mask is not None:
            weight = weight * mask.unsqueeze(1)
        read = sum((weight[j] @ state for j, state in enumerate(states[-reach:])), start=self.bias)
        out: Tensor = self.up(F.gelu(self.down(read)))
        return out


class InlineModules(LayerHook):
    """Adds one module's output to each layer's input; modules read the states before anything is added to them."""

    def __init__(self, modules: nn.ModuleList) -> None:
        self.modules = modules
        self.states: list[Tensor] = []

    def before(self, layer: int, state: State) -> State:
        """Add one vector to all tokens of the state; ModelError if another hook has removed tokens."""
        if state.places is not None:
            raise ModelError("model/readout=parasite reads every token of a text; an encoder that drops some has fewer")
        self.states.append(state.hidden)
        return replace(state, hidden=state.hidden + self.modules[layer](self.states, state.mask))


class Parasite(Readout):
    """The readout; its modules are in `inline`."""

    first = 1

    def __init__(self, hidden: int, layers: int, *, size: int, reach: int, length: int) -> None:
        super().__init__()
        check_option(size >= 1, "model.readout.size", size, "at least 1", 16)
        check_option(reach >= 1, "model.readout.reach", reach, "at least 1", 1)
        self.longest = length
        self.inline = nn.ModuleList(
            InlineModule(hidden, size, min(reach, block), length) for block in range(1, layers + 1)
        )

    def hooks(self) -> tuple[LayerHook, ...]:
        """The hook that runs the modules before the layers."""
        return (InlineModules(self.inline),)

    def forward(self, hidden: Tensor, mask: Tensor | None) -> Tensor:
        """The first token's vector, (B, H)."""
        return hidden[:, 0]
