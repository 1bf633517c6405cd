"""A dense model's time and what others of its kind take, predicted by the table and measured side by side."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import nn

from models.compression.settings.pruning import Ziplm as Options
from models.compression.stage import Stopwatch
from models.compression.structured.layer_widths import Block, blocks, layer_of, width_of, widths
from models.compression.structured.search import Choices
from models.compression.structured.speed_table import EMPTY, WHOLE, SpeedTable, key_of, levels, measured, ratio
from models.compression.structured.surgery import Half
from models.errors import ModelError

SPEED_S = 0.5  # seconds that each of two models is timed for when they are compared


class Clock:
    """All times are in ms, of one call at the options' batch size and length."""

    def __init__(self, dense: Any, stopwatch: Stopwatch, options: Options, kept: dict[str, Any] | None = None) -> None:
        """kept: the content of the table that an interrupted run went by; None: this machine's."""
        self.dense, self.stopwatch, self.options = dense, stopwatch, options
        self.shape = {"batch": options.batch, "length": options.length}
        self.table = SpeedTable(**kept) if kept else measured(dense, stopwatch, **self.shape, multiple=options.round_to)
        self.whole, self.empty = self.table.of(WHOLE), self.table.of(EMPTY)
        alone = 0.0  # what the halves of the whole model take by themselves
        for block in blocks(dense):
            now, none = self.table.times(key_of(dense, block), [width_of(layer_of(dense, block), block.kind), 0])
            alone += now - none
        self.scale = (self.whole - self.empty) / alone

    def target(self) -> float:
        """The speed-up that the options ask for; ModelError when it is out of reach."""
        target = self.options.target
        wanted, asked, value = target.speedup, "speedup", target.speedup
        if target.latency_ms:
            wanted, asked, value = self.whole / target.latency_ms, "latency_ms", target.latency_ms
        most = self.whole / self.empty
        if wanted >= most:
            nearest = max(1.0, int(most * 9) / 10) if asked == "speedup" else round(self.empty * 1.1, 3)
            raise ModelError(
                f"target.{asked}={value:g}: {wanted:.2f}x is out of "
                f"reach. Without any head and neuron {self.empty:.3g} of {self.whole:.3g} ms are left: {most:.2f}x. "
                f"Try: target.{asked}={nearest:g}"
            )
        return max(1.0, wanted)

    def budget(self, speedup: float) -> float:
        """What all halves together add to the time of the empty model, for a model of that speed-up."""
        return self.whole / speedup - self.empty

    def predicted(self, spent: float) -> float:
        """The speed-up of a model whose halves add that much."""
        return self.whole / (self.empty + spent)

    def choices(self, model: nn.Module, block: Block, half: Half | None) -> Choices:
        """What a half may become: as wide as it is, or any width of the table below; half: None where it is gone."""
        layer, key = layer_of(model, block), key_of(model, block)
        now = width_of(layer, block.kind)
        narrower = [
            width for width in levels(block.kind, self._widest(block.kind), self.options.round_to) if width < now
        ]
        found = [now, *narrower]
        errors = np.array([half.error(width) for width in found]) if half else np.zeros(1)
        times = self.table.times(key, [*found, 0])
        return Choices(found, errors, self.scale * (times[:-1] - times[-1]))

    def _widest(self, kind: str) -> int:
        return max(width_of(layer_of(self.dense, block), kind) for block in blocks(self.dense) if block.kind == kind)

    def settled(self, model: nn.Module) -> float:
        """The same as `speedup`, timed once a machine and kept in the table: what decides how a model is cut."""
        return ratio(self.table, widths(model), self.stopwatch, lambda: self.speedup(model))

    def speedup(self, model: nn.Module) -> float:
        """How many times faster a model is than the dense one: the median of the rounds' ratios."""
        both = self.stopwatch.times({"dense": self.dense, "model": model}, **self.shape, seconds=SPEED_S)
        return float(np.median(np.array(both["dense"]) / np.array(both["model"])))
