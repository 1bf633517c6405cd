"""Stochastic weight averaging: the mean of the weights at the ends of the last epochs is evaluated and kept.

The mean of several points of one training often lies in a flatter minimum and generalises better than each of them
(Izmailov et al. 2018, arXiv 1803.05407). Training itself continues from the weights of its last step.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class WeightAverage:
    """The weights of `model` at the ends of the last `size` epochs; with size 1 nothing is averaged."""

    def __init__(self, model: nn.Module, size: int) -> None:
        self.model, self.size = model, size
        self.ends: list[dict[str, Tensor]] = []

    @contextmanager
    def at_end(self) -> Iterator[None]:
        """Call at the end of an epoch: within the block the model has the mean, afterwards its own weights again."""
        if self.size == 1:
            yield
            return
        own = {name: value.detach().clone() for name, value in self.model.state_dict().items()}
        self.ends = [*self.ends, own][-self.size :]
        self.put()
        yield
        self._copy(own)

    def put(self) -> None:
        """Load the mean into the model; integer tensors are taken from the last epoch."""
        if self.ends:
            self._copy({name: _mean([end[name] for end in self.ends]) for name in self.ends[-1]})

    @torch.no_grad()
    def _copy(self, tensors: dict[str, Tensor]) -> None:
        for name, value in self.model.state_dict().items():
            value.copy_(tensors[name])

    def state(self) -> dict[str, Tensor]:
        """Return the kept weights for a checkpoint, as <number>/<name>."""
        return {f"{number}/{name}": value for number, end in enumerate(self.ends) for name, value in end.items()}

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Restore a `state`."""
        found: dict[int, dict[str, Tensor]] = {}
        own = self.model.state_dict()
        for key, value in tensors.items():
            number, _, name = key.partition("/")
            found.setdefault(int(number), {})[name] = value.to(own[name].device)
        self.ends = [found[number] for number in sorted(found)]


def _mean(values: list[Tensor]) -> Tensor:
    return torch.stack(values).mean(0) if values[-1].is_floating_point() else values[-1]
