"""A stage context whose clock counts the multiply-adds of layers, and whose scores are what a test says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from models.compression.lengths.costs import EncoderShape
from models.compression.lengths.timing import AtLengths, Cell
from models.compression.stage import Inputs, Targets
from models.compression.structured.layer_widths import encoder_of
from tests.models.helpers import batch

PER_MS = 1e5  # multiply-adds that a machine computes in a millisecond
OVERHEAD = 0.3  # ms of a call


class WatchContext:
    """One example of `length` tokens takes its multiply-adds, times `slower`, and `OVERHEAD`."""

    seed, device = 0, torch.device("cpu")

    def __init__(
        self, cache: Path, score: Callable[[nn.Module], float] = lambda model: 0.0, slower: float = 1.0
    ) -> None:
        self.cache, self.slower, self._score = cache, slower, score
        self.machine = {"cpu": f"{slower} of a test"}
        self.timed: list[str] = []
        self.scored: list[int | None] = []
        self.said: list[str] = []
        self.metrics: dict[str, float] = {}

    def score(self, model: nn.Module, *, rows: int | None = None) -> float:
        self.scored.append(rows)
        return self._score(model)

    def batches(self, *, rows: int | None = None, **choice: Any) -> Iterator[tuple[Inputs, Targets, Any]]:
        for start in range(0, rows or 64, 16):
            yield batch(16, 40, seed=start), {}, np.arange(start, start + 16)

    def times(
        self, models: Mapping[str, nn.Module], *, batch: int = 1, length: int = 128, seconds: float
    ) -> dict[str, list[float]]:
        self.timed += models
        return {name: [self.ms(model, length)] * 3 for name, model in models.items()}

    def ms(self, model: nn.Module, length: int) -> float:
        """The time of a whole model, or of a layer by itself, which is 30 % faster."""
        if isinstance(model, Cell):
            leaving = max(2, -(-length * round(model.share * 10000) // 10000))
            return 0.7 * self.slower * (0.02 + 0.001 * length + 0.002 * length**2 / 100 + 0.003 * leaving)
        lengths, model = (model.lengths, model.model) if isinstance(model, AtLengths) else (None, model)
        shape = EncoderShape.of(model)
        spent = OVERHEAD
        counts = [length, *(lengths.kept_of(length) if lengths else [length] * len(shape.layers))]
        for layer, sizes in enumerate(shape.layers):
            n, k = counts[layer : layer + 2]
            if sizes.neurons:
                spent += 0.02 + 0.001 * n + 0.002 * n**2 / 100 + 0.003 * k
        return self.slower * spent

    def say(self, text: str) -> None:
        self.said.append(text)

    def add_metrics(self, values: dict[str, float]) -> None:
        self.metrics |= values

    def locked(self, path: Path) -> Any:
        path.parent.mkdir(parents=True, exist_ok=True)
        return nullcontext()


def kept_share(model: nn.Module) -> float:
    """A score that only the tokens which leave the first layer decide, of the lengths that a model is called with."""
    lengths = encoder_of(model).lengths
    return 1.0 if lengths is None else min(1.0, 2 * lengths.kept_of(1000)[0] / 1000)
