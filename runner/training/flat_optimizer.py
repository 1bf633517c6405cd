"""An optimizer over a few long tensors instead of the model's many short ones, so that a step needs few kernel calls.

Biases, norms and short matrices share one buffer for values and one for gradients. Long matrices keep the gradient that
autograd made: copying it into a buffer would cost more memory traffic than the saved calls are worth. Of the word table
the optimizer gets only the trained rows, and only the rows of a step's tokens are clipped and cleared: the gradients of
the others are zero. The update itself is torch's.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import groupby
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from models.capabilities import OwnRate
from runner.schema import OptimizerSettings
from runner.training.compact_vocabulary import CompactTable
from runner.training.layer_rates import layer_rates
from runner.training.optimizer import make_optimizer

LONG = 1 << 17  # elements above which a matrix stays outside the buffer: half a megabyte, a quarter of a core's cache
ALIGN = 16  # floats: every tensor in the buffer starts on a cache line, like a separate tensor


class GroupKey(NamedTuple):
    """How the optimizer treats a parameter; parameters with the same key form one group."""

    scale: float  # its learning rate as a multiple of the schedule's
    decays: bool
    age: int = 0  # steps that its moments of an earlier training have seen, on which their bias correction depends


class Gradients(NamedTuple):
    """The gradients of one step's backward passes."""

    parts: list[Tensor]  # all of them; for a compact word table a copy of the rows that are not zero
    rows: Tensor | None  # the numbers of those rows; None without such a table
    norm: Tensor  # of all parts together, a scalar


class ParameterSlice(NamedTuple):
    """The position of a parameter in a tensor that the optimizer updates."""

    name: str
    tensor: nn.Parameter
    part: slice  # of the flattened tensor


def own_rates(model: nn.Module) -> dict[Tensor, float]:
    """Return the peak rates of parameters whose module sets `own_lr`; such parameters have no weight decay."""
    modules = (module for module in model.modules() if isinstance(module, OwnRate))
    return {p: module.own_lr for module in modules if module.own_lr for p in module.parameters(recurse=False)}


class FlatOptimizer:
    """The buffers of a model in training and the optimizer over them; `release` undoes the buffers."""

    def __init__(
        self, model: nn.Module, settings: OptimizerSettings, table: CompactTable | None,
        moments: dict[str, Tensor] | None = None,
    ) -> None:  # fmt: skip
        """moments: of an earlier training, as returned by `moments`; parameters added since then start without."""
        self.table, self.decay = table, settings.weight_decay
        self.shrink = 1.0  # the factor of weight decay still to be applied to the untrained rows
        whole = table.embedding.weight if table else None
        trained = [p for p in model.parameters() if p.requires_grad and p is not whole]
        self.names = {parameter: name for name, parameter in model.named_parameters()}
        self.slices: list[ParameterSlice] = []
        ages = {
            name.rpartition("/")[0]: int(value) for name, value in (moments or {}).items() if name.endswith("/step")
        }
        self.long = [p for p in trained if p.ndim > 1 and p.numel() > LONG]
        own = {p: rate / settings.lr for p, rate in own_rates(model).items()}
        scales = layer_rates(model, settings.layer_decay) | own
        keys = {
            p: GroupKey(scales.get(p, 1.0), p.ndim > 1 and p not in own, ages.get(self.names[p], 0)) for p in trained
        }
        self.table_scale = scales.get(table.embedding.weight, 1.0) if table else 1.0
        # Sorted, so that every group is one contiguous part of the buffer.
        self.short = sorted((p for p in trained if p.ndim <= 1 or p.numel() <= LONG), key=lambda p: keys[p])
        self.grad, members = self._gather(keys)
        for parameter in self.long:
            members[keys[parameter]].append(parameter)
            self.slices.append(ParameterSlice(self.names[parameter], parameter, slice(None)))
        if table:
            rows = self._train_rows(table)
            members[GroupKey(self.table_scale, True, ages.get(table.name, 0))].append(rows)
            self.slices.append(ParameterSlice(table.name, rows, slice(None)))
        groups = [
            {"params": params, "weight_decay": self.decay if key.decays else 0.0, "scale": key.scale}
            for key, params in sorted(members.items())
        ]
        self.inner = make_optimizer(groups, settings)
        self._begin_with(moments or {})

    def _gather(self, keys: dict[nn.Parameter, GroupKey]) -> tuple[Tensor, dict[GroupKey, list[nn.Parameter]]]:
        """Move short parameters into one buffer; returns its gradients, and each group's part of it as a parameter."""
        places = np.cumsum([0, *(-(-p.numel() // ALIGN) * ALIGN for p in self.short)]).tolist()
        like = self.short[0].detach() if self.short else torch.zeros(0)
        values, grads = like.new_zeros(places[-1]), like.new_zeros(places[-1])
        for parameter, start in zip(self.short, places):
            view = slice(start, start + parameter.numel())
            values[view].copy_(parameter.detach().flatten())
            parameter.data = values[view].view(parameter.shape)
            parameter.grad = grads[view].view(parameter.shape)
        members: dict[GroupKey, list[nn.Parameter]] = defaultdict(list)
        for group, stretch in groupby(zip(self.short, places, places[1:]), key=lambda part: keys[part[0]]):
            parts = list(stretch)
            start, end = parts[0][1], parts[-1][2]
            joined = _parameter_over(values[start:end], grads[start:end])
            members[group].append(joined)
            for p, place, _ in parts:
                self.slices.append(
                    ParameterSlice(self.names[p], joined, slice(place - start, place - start + p.numel()))
                )
        return grads, members

    @staticmethod
    def _train_rows(table: CompactTable) -> nn.Parameter:
        """Return the trained rows of the table as a separate parameter; the whole table gets a gradient tensor."""
        weight = table.embedding.weight
        weight.grad = torch.zeros_like(weight)
        # Otherwise every step would allocate, zero and add a dense gradient of the whole table.
        table.embedding.sparse = weight.device.type == "cpu"
        return _parameter_over(weight.detach()[: table.used], weight.grad[: table.used])

    @torch.no_grad()
    def gradients(self, rows: np.ndarray | None) -> Gradients:
        """Collect all gradients of this step, and their norm.

        rows: the rows of this step's tokens in the rearranged table; None without a table.
        """
        parts, index = [self.grad, *(p.grad for p in self.long if p.grad is not None)], None
        if (grad := self._table_grad()) is not None and rows is not None:
            index = torch.from_numpy(rows).to(self.grad.device)
            parts.append(grad[index])
        norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(part) for part in parts]))
        return Gradients(parts, index, norm)

    @torch.no_grad()
    def step(self, rate: float, clip_norm: float, found: Gradients, texts: int = 1) -> None:
        """Clip, update at learning rate `rate`, and clear the gradients; `texts` is unused: gradients are means."""
        if clip_norm:
            self._clip(found, clip_norm)
        for group in self.inner.param_groups:
            group["lr"] = rate * group["scale"]
        self.inner.step()
        self.shrink *= 1.0 - rate * self.table_scale * self.decay
        self.clear(found)

    @torch.no_grad()
    def clear(self, found: Gradients) -> None:
        """Set all gradients to zero, as before the backward passes."""
        self.grad.zero_()
        for parameter in self.long:
            parameter.grad = None
        if (grad := self._table_grad()) is not None and found.rows is not None:
            grad.index_fill_(0, found.rows, 0.0)

    def _clip(self, found: Gradients, most: float) -> None:
        """Scale the gradients to a norm of `most` at most, as torch.nn.utils.clip_grad_norm_ does."""
        scale = (most / (found.norm + 1e-6)).clamp(max=1.0)
        for part in found.parts:
            part.mul_(scale)
        if (grad := self._table_grad()) is not None and found.rows is not None:
            grad.index_copy_(0, found.rows, found.parts[-1])

    def _table_grad(self) -> Tensor | None:
        return self.table.embedding.weight.grad if self.table else None

    @torch.no_grad()
    def apply_pending_decay(self) -> None:
        """Scale the untrained rows by the weight decay accumulated since the last call: (1 - rate x decay) per step."""
        if self.table:
            self.table.embedding.weight[self.table.used :].mul_(self.shrink)
        self.shrink = 1.0

    def release(self) -> None:
        """Give the model its own tensors, without gradients, and put its table in the order of the token ids."""
        self.apply_pending_decay()
        for parameter in self.short:
            parameter.data, parameter.grad = parameter.data.clone(), None
        if self.table:
            self.table.embedding.weight.grad, self.table.embedding.sparse = None, False
            self.table.restore()

    def state(self) -> dict[str, Tensor]:
        """Return the optimizer's tensors for a checkpoint, as <number of the flat tensor>/<key>.

        They are never loaded into another layout: `engine.compact_vocabulary` is part of a run's identity.
        """
        return {
            f"{index}/{key}": value
            for index, parameter in enumerate(self._all())
            for key, value in self.inner.state[parameter].items()
            if value is not None
        }

    def load(self, state: dict[str, Tensor]) -> None:
        """Restore a `state`."""
        parameters = self._all()
        for name, tensor in state.items():
            index, key = name.split("/")
            parameter = parameters[int(index)]
            self.inner.state[parameter][key] = tensor.to(parameter.device, copy=True)

    def moments(self) -> dict[str, Tensor]:
        """Return the optimizer's tensors by parameter, as <name>/<key>; for the word table only the trained rows."""
        return {
            f"{name}/{key}": (value.flatten()[part] if value.ndim else value).clone()
            for name, parameter, part in self.slices
            for key, value in self.inner.state[parameter].items()
            if value is not None
        }

    def _begin_with(self, moments: dict[str, Tensor]) -> None:
        slices = {name: (parameter, part) for name, parameter, part in self.slices}
        for name, tensor in moments.items():
            parameter, part = slices[name.rpartition("/")[0]]
            state, key = self.inner.state[parameter], name.rpartition("/")[2]
            if tensor.ndim:
                state.setdefault(key, torch.zeros_like(parameter)).view(-1)[part] = tensor
            else:
                state[key] = tensor.to(parameter.device, copy=True)

    def _all(self) -> list[nn.Parameter]:
        return [parameter for group in self.inner.param_groups for parameter in group["params"]]


def _parameter_over(values: Tensor, grads: Tensor) -> nn.Parameter:
    """Return a parameter whose value and gradient are existing tensors."""
    parameter = nn.Parameter(values)
    parameter.grad = grads
    return parameter
