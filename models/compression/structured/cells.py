"""The cells of the latency table: each kind of sublayer at each width, called like a whole model.

For our own encoder, a cell is the sublayer alone. For transformers' encoders, it is a layer whose other sublayer is
empty, called as the model calls it. The overhead is the same in every cell of a kind and cancels, because only
differences between widths are used.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn

from models.backbones.bert import Bert, Layer
from models.compression.structured.blocks import ATTENTION, FFN, blocks_of, group_of, output_of
from models.compression.structured.layer_widths import Sublayer, cut_sublayer, layer_of, sublayers, width_of
from models.compression.structured.search import ffn_widths
from models.network import Network

Call = tuple[tuple[object, ...], dict[str, object]]  # positional and keyword arguments of a layer


class Cell(nn.Module):
    """One sublayer of our own encoder at one width; runs on fixed hidden states and ignores the ids."""

    def __init__(self, layer: Layer, part: str, width: int, states: Tensor, first: int | None) -> None:
        """states: (B, T, H); first: compute the results of only this many first tokens; None: of all."""
        super().__init__()
        self.part, self.first, self.layer = part, first, copy.deepcopy(layer)
        narrow(self.layer, part, width)
        for other in ("intermediate", "output") if part == ATTENTION else ("attention",):
            delattr(self.layer, other)
        self.register_buffer("states", states, persistent=False)
        self.register_buffer("bias", states.new_zeros(len(states), 1, 1, states.shape[1]), persistent=False)

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor | None = None, token_type_ids: Tensor | None = None
    ) -> Tensor:
        """(B, T) to (B, T, H), or to (B, first, H)."""
        states = self.get_buffer("states")
        if self.part == ATTENTION:
            attended: Tensor = self.layer.attention(states, self.get_buffer("bias"), self.first)
            return attended
        out: Tensor = self.layer.output(self.layer.intermediate(states[:, : self.first]), states[:, : self.first])
        return out


class LayerCell(nn.Module):
    """A transformers layer with one sublayer at one width and the other empty, called with fixed arguments."""

    def __init__(self, layer: nn.Module, part: str, width: int, call: Call) -> None:
        super().__init__()
        self.layer, self.call = copy.deepcopy(layer), call
        narrow(self.layer, part, width)
        narrow(self.layer, FFN if part == ATTENTION else ATTENTION, 0)

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor | None = None, token_type_ids: Tensor | None = None
    ) -> Tensor:
        """(B, T) to (B, T, H)."""
        arguments, named = self.call
        out: Tensor = self.layer(*arguments, **named)
        return out


def narrow(layer: nn.Module, part: str, width: int) -> None:
    """Cut a sublayer to its first heads or neurons."""
    output = output_of(layer, part)
    if isinstance(output, nn.Linear):
        weight = output.weight[:, : width * group_of(layer, part)]
        cut_sublayer(layer, part, range(width), weight, output.bias)


def cell_key(model: Network, sublayer: Sublayer) -> str:
    """The name of a sublayer's cells.

    The last layer has separate cells if the readout needs only the first tokens. So does each attention type in a model
    whose layers attend over different distances.
    """
    if not isinstance(model.bert, Bert):
        kind = vars(layer_of(model, sublayer)).get("attention_type")
        return f"{sublayer.part}/{kind}" if kind and sublayer.part == ATTENTION else sublayer.part
    is_last = sublayer.layer == sublayers(model)[-1].layer
    return f"{sublayer.part}/first" if is_last and model.bert.pooler.first is not None else sublayer.part


def candidate_widths(part: str, most: int, multiple: int) -> list[int]:
    """The candidate widths of a sublayer with at most `most` heads or neurons, widest first."""
    return list(range(most, -1, -1)) if part == ATTENTION else ffn_widths(most, multiple)


def timing_cells(model: Network, batch: int, length: int, multiple: int) -> dict[str, nn.Module]:
    """A cell for every kind of sublayer and every width, made from the widest sublayer of that kind."""
    found: dict[str, nn.Module] = {}
    every, is_ours = sublayers(model), isinstance(model.bert, Bert)
    calls = {} if is_ours else recorded_calls(model, batch, length)
    device = linear_device(model)
    generator = torch.Generator().manual_seed(0)  # does not affect the run's random numbers
    states = torch.randn(batch, length, model.architecture["hidden_size"], generator=generator).to(device)
    for key in dict.fromkeys(cell_key(model, sublayer) for sublayer in every):
        alike = [sublayer for sublayer in every if cell_key(model, sublayer) == key]
        widest = max(alike, key=lambda sublayer: width_of(layer_of(model, sublayer), sublayer.part))
        layer, first = layer_of(model, widest), model.bert.pooler.first if key.endswith("/first") else None
        most = width_of(layer, widest.part)
        for width in candidate_widths(widest.part, most, multiple) if most else []:
            if is_ours:
                cell: nn.Module = Cell(cast(Layer, layer), widest.part, width, states, first)
            else:
                cell = LayerCell(layer, widest.part, width, calls[widest.layer])
            found[f"{key}/{width}"] = cell.eval()
    return found


def linear_device(model: Network) -> torch.device:
    """The device of the model's weights."""
    return next(blocks_of(model).parameters()).device


@torch.no_grad()
def recorded_calls(model: Network, batch: int, length: int) -> dict[int, Call]:
    """The arguments with which a model calls each of its layers, for texts without padding."""
    calls: dict[int, Call] = {}

    def keeper(place: int) -> Callable[[nn.Module, tuple[object, ...], dict[str, object]], None]:
        def keep(module: nn.Module, arguments: tuple[object, ...], named: dict[str, object]) -> None:
            calls[place] = arguments, named

        return keep

    layers, was_training = blocks_of(model), model.training
    hooks = [layer.register_forward_pre_hook(keeper(i), with_kwargs=True) for i, layer in enumerate(layers)]
    ids = model.bert.blank(batch, length, linear_device(model))
    model.eval()
    try:
        model(input_ids=ids, attention_mask=torch.ones(ids.shape[:2], dtype=torch.int64, device=ids.device))
    finally:
        for hook in hooks:
            hook.remove()
        model.train(was_training)
    return calls
