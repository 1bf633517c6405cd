"""Heads and neurons of a whole encoder, in the order in which they can go, and copies cut to any widths."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import torch
from torch import Tensor

from models.backbones.bert import Layer
from models.compression.stage import Inputs
from models.compression.structured.input_moments import Moments, collect
from models.compression.structured.layer_widths import blocks, cut, describe, group_of, layer_of, output_of, width_of
from models.compression.structured.optimal_brain_surgeon import columns, damped, refit, sweep


class Half:
    """Half a layer before the cut: its output's tensors, what that reads, and the order of removal."""

    def __init__(self, layer: Layer, kind: str, moments: Moments) -> None:
        dense = output_of(layer, kind).dense
        self.weight, self.bias, self.moments = dense.weight.detach(), dense.bias.detach(), moments
        self.group = group_of(layer, kind)
        self.removal = sweep(*damped(self.weight, moments.covariance()), self.group)
        self.after = cache(self._after)

    def error(self, width: int) -> float:
        """What is lost with `width` heads or neurons left, as a share of what is lost with none; 0..1."""
        return self.removal.errors[len(self.removal.order) - width]

    def _after(self, width: int) -> tuple[list[int], Tensor, Tensor]:
        """Those that stay, and the output's weight (H, columns) and bias (H,) that make up for the others."""
        kept = self.removal.kept(width)
        weight = refit(*damped(self.weight, self.moments.covariance()), kept, self.group).float()
        lost = self._change(kept, weight) @ self.moments.mean()
        return kept, weight, (self.bias + lost).float()

    def _change(self, kept: list[int], weight: Tensor) -> Tensor:
        """The dense weight less another one of the kept columns alone, (H, d), double precision."""
        change = self.weight.double().clone()
        change[:, columns(kept, self.group).to(change.device)] -= weight
        return change

    def errors(self, width: int) -> tuple[float, float]:
        """Mean squared change of the output, as a share of its variance: after the cut, and after plain deletion.

        Deletion takes the same columns away and leaves everything else as it is.
        """
        kept, weight, bias = self.after(width)
        whole = self.weight.double()
        variance = self.moments.error(whole, -whole @ self.moments.mean()) or 1.0
        old = self.weight[:, columns(kept, self.group).to(self.weight.device)]
        mended = self.moments.error(self._change(kept, weight), self.bias - bias)
        deleted = self.moments.error(self._change(kept, old), torch.zeros_like(bias))
        return mended / variance, deleted / variance


class Surgery:
    """An encoder opened up: every half that has something left, swept by what it reads in some texts."""

    def __init__(self, model: Any, batches: Iterable[Inputs]) -> None:
        self.model, self.blocks = model, blocks(model)
        moments = collect(model, batches)
        self.halves = {block: Half(layer_of(model, block), block.kind, moments[block]) for block in moments}

    @torch.no_grad()
    def cut(self, widths: Sequence[int]) -> Any:
        """A copy of the model with these widths, one for each half from below; its `architecture` says so."""
        model = copy.deepcopy(self.model)
        for block, width in zip(self.blocks, widths, strict=True):
            layer = layer_of(model, block)
            if width < width_of(layer, block.kind):
                cut(layer, block.kind, *self.halves[block].after(width))
        describe(model)
        return model

    def errors(self, widths: Sequence[int]) -> list[tuple[float, float]]:
        """Of each half that is cut to less than it has: see Half.errors."""
        pairs = ((self.halves.get(block), width) for block, width in zip(self.blocks, widths, strict=True))
        return [half.errors(width) for half, width in pairs if half and width < len(half.removal.order)]
