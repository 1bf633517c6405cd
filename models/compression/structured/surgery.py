"""Orders an encoder's heads and neurons for removal, and makes copies cut to any widths."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from functools import cache

import torch
from torch import Tensor, nn

from models.compression.stage import Inputs
from models.compression.structured.blocks import group_of, linear_of
from models.compression.structured.input_moments import InputMoments, collect_moments
from models.compression.structured.layer_widths import cut_sublayer, layer_of, record_widths, sublayers, width_of
from models.compression.structured.optimal_brain_surgeon import add_damping, group_columns, refit_weight, removal_order
from models.network import Network


class RemovalPlan:
    """The order in which a sublayer's heads or neurons are removed, and the output layer refitted to each width.

    If there is a bias, it absorbs the mean error; otherwise, only the weight is refitted.
    """

    def __init__(self, layer: nn.Module, part: str, moments: InputMoments) -> None:
        output = linear_of(layer, part)
        self.weight, self.moments = output.weight.detach(), moments
        self.bias = None if output.bias is None else output.bias.detach()
        self.group = group_of(layer, part)
        self.removal = removal_order(*add_damping(self.weight, self._hessian()), self.group)
        self.after = cache(self._after)

    def _hessian(self) -> Tensor:
        return self.moments.second_moment() if self.bias is None else self.moments.covariance()

    def error(self, width: int) -> float:
        """The squared error with `width` heads or neurons, relative to the error without any; 0..1."""
        return self.removal.errors[len(self.removal.order) - width]

    def _after(self, width: int) -> tuple[list[int], Tensor, Tensor | None]:
        """The heads or neurons that stay, and the output layer's new weight (H, columns) and bias (H,) or None."""
        kept = self.removal.kept(width)
        weight = refit_weight(*add_damping(self.weight, self._hessian()), kept, self.group).float()
        if self.bias is None:
            return kept, weight, None
        lost = self._change(kept, weight) @ self.moments.mean()
        return kept, weight, (self.bias + lost).float()

    def _change(self, kept: list[int], weight: Tensor) -> Tensor:
        """The dense weight minus a weight of the kept columns, (H, d), double precision."""
        change = self.weight.double().clone()
        change[:, group_columns(kept, self.group).to(change.device)] -= weight
        return change

    def errors(self, width: int) -> tuple[float, float]:
        """Mean squared change of the output relative to its variance: after refitting, and after plain deletion.

        Deletion removes the same columns without refitting.
        """
        kept, weight, bias = self.after(width)
        whole = self.weight.double()
        variance = self.moments.error(whole, -whole @ self.moments.mean()) or 1.0
        old = self.weight[:, group_columns(kept, self.group).to(self.weight.device)]
        unmoved = torch.zeros_like(self.weight[:, 0])
        moved = unmoved if self.bias is None or bias is None else self.bias - bias
        refitted = self.moments.error(self._change(kept, weight), moved)
        deleted = self.moments.error(self._change(kept, old), unmoved)
        return refitted / variance, deleted / variance


class Surgery:
    """Removal plans for all non-empty sublayers of an encoder, based on their activations for sample texts."""

    def __init__(self, model: Network, batches: Iterable[Inputs]) -> None:
        self.model, self.sublayers = model, sublayers(model)
        moments = collect_moments(model, batches)
        self.plans = {
            sublayer: RemovalPlan(layer_of(model, sublayer), sublayer.part, moments[sublayer]) for sublayer in moments
        }

    @torch.no_grad()
    def cut(self, widths: Sequence[int]) -> Network:
        """A copy of the model with these widths, one per sublayer, lowest first; its `architecture` records them."""
        model = copy.deepcopy(self.model)
        for sublayer, width in zip(self.sublayers, widths, strict=True):
            layer = layer_of(model, sublayer)
            if width < width_of(layer, sublayer.part):
                cut_sublayer(layer, sublayer.part, *self.plans[sublayer].after(width))
        record_widths(model)
        return model

    def errors(self, widths: Sequence[int]) -> list[tuple[float, float]]:
        """The errors of each sublayer that is cut: see RemovalPlan.errors."""
        pairs = ((self.plans.get(sublayer), width) for sublayer, width in zip(self.sublayers, widths, strict=True))
        return [plan.errors(width) for plan, width in pairs if plan and width < len(plan.removal.order)]
