"""Latency of a dense model and of cut copies: predicted from the latency table, or measured against each other."""

from __future__ import annotations

import numpy as np
from torch import nn

from models.compression.settings.pruning import Ziplm as Options
from models.compression.stage import Stopwatch
from models.compression.structured.blocks import blocks_of
from models.compression.structured.cells import candidate_widths, cell_key
from models.compression.structured.layer_widths import Sublayer, layer_of, sublayers, width_of, widths
from models.compression.structured.search import Choices
from models.compression.structured.speed_table import (
    EMPTY,
    WHOLE,
    SpeedTable,
    cached_ratio,
    load_or_measure,
)
from models.compression.structured.surgery import RemovalPlan
from models.errors import ModelError
from models.json_types import JsonObject
from models.network import Network

SPEED_S = 0.5  # seconds of timing for each of two compared models


class SpeedModel:
    """Times in ms of one call, at the batch size and length in the settings."""

    def __init__(
        self, dense: Network, stopwatch: Stopwatch, options: Options, kept: JsonObject | None = None,
        name: str = "ziplm",
    ) -> None:  # fmt: skip
        """kept: the content of the table that an interrupted run used; None: this machine's table.

        name: of the stage in the chain, for messages.
        """
        self.dense, self.stopwatch, self.options, self.name = dense, stopwatch, options, name
        self.shape = {"batch": options.batch, "length": options.length}
        if kept:
            self.table = SpeedTable(**kept)
        else:
            self.table = load_or_measure(dense, stopwatch, **self.shape, multiple=options.round_to)
        self.whole, self.empty = self.table.median(WHOLE), self.table.median(EMPTY)
        alone = 0.0  # time of all sublayers, each timed separately
        for sublayer in sublayers(dense):
            width = width_of(layer_of(dense, sublayer), sublayer.part)
            now, none = self.table.times(cell_key(dense, sublayer), [width, 0])
            alone += now - none
        self.scale = (self.whole - self.empty) / alone

    def target_speedup(self) -> float:
        """The target speed-up from the settings; ModelError if it is out of reach."""
        target = self.options.target
        wanted, asked, value = target.speedup, "speedup", target.speedup
        if target.latency_ms:
            wanted, asked, value = self.whole / target.latency_ms, "latency_ms", target.latency_ms
        most = self.whole / self.empty
        if wanted >= most:
            nearest = max(1.0, int(most * 9) / 10) if asked == "speedup" else round(self.empty * 1.1, 3)
            key = f"compression.{self.name}.target.{asked}"
            raise ModelError(
                f"{key}={value:g}: {wanted:.2f}x is out of "
                f"reach. Without any head or neuron {self.empty:.3g} of {self.whole:.3g} ms remain: {most:.2f}x. "
                f"Try: {key}={nearest:g}"
            )
        return max(1.0, wanted)

    def time_budget(self, speedup: float) -> float:
        """The time that all sublayers together may take in a model with that speed-up, ms."""
        return self.whole / speedup - self.empty

    def predicted_speedup(self, spent: float) -> float:
        """The speed-up of a model whose sublayers together take `spent` ms."""
        return self.whole / (self.empty + spent)

    def choices(self, model: Network, sublayer: Sublayer, plan: RemovalPlan | None) -> Choices:
        """A sublayer's candidate widths: its own, and narrower ones in the table; plan: None if it is already empty."""
        layer, key = layer_of(model, sublayer), cell_key(model, sublayer)
        now = width_of(layer, sublayer.part)
        tried = candidate_widths(sublayer.part, self._widest(sublayer.part), self.options.round_to)
        found = [now, *(width for width in tried if width < now)]
        errors = np.array([plan.error(width) for width in found]) if plan else np.zeros(1)
        times = self.table.times(key, [*found, 0])
        return Choices(found, errors, self.scale * (times[:-1] - times[-1]))

    def _widest(self, part: str) -> int:
        return max(width_of(layer, part) for layer in blocks_of(self.dense))

    def cached_speedup(self, model: nn.Module) -> float:
        """The measured speed-up of a model with these widths, timed once per machine and cached in its table."""
        return cached_ratio(self.table, widths(model), self.stopwatch, lambda: self.speedup(model))

    def speedup(self, model: nn.Module) -> float:
        """Measure a model's speed-up over the dense model: the median ratio over the rounds."""
        both = self.stopwatch.times({"dense": self.dense, "model": model}, **self.shape, seconds=SPEED_S)
        return float(np.median(np.array(both["dense"]) / np.array(both["model"])))
