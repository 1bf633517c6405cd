"""Latency of an encoder at given lengths: predicted from a table, or measured with the configurations taking turns.

The table has the milliseconds of one layer for several numbers of entering and leaving tokens. The times of the whole
model and of the model without layers set the scale, because a layer timed alone finds its weights in the CPU cache.
The table is kept in the cache folder under a hash of everything it depends on, so a machine times a shape once. A table
from another machine predicts that machine's times for the same lengths.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from models.backbones.bert import Layer
from models.backbones.hooks import ALL, State, Wanted
from models.backbones.lengths import Lengths
from models.checkpoints.atomic import write_whole
from models.compression.lengths.choice import METHOD
from models.compression.stage import Stopwatch
from models.compression.structured.layer_widths import encoder_of, widths, without_sublayers
from models.json_types import JsonObject
from models.network import Network

GRID = (4, 16, 32, 64, 128, 256, 384, 512)  # timed numbers of entering tokens, up to that of the longest text
LEAVING = (0.3, 0.7)  # timed shares of leaving tokens; for other shares, times lie on a line through these
CELL_S, WHOLE_S = 0.05, 0.3  # seconds of timing for a cell and for a whole model, over all rounds
FRONT_S = 0.5  # seconds of timing for each configuration on the front
WHOLE, EMPTY = "whole", "empty"
LAST = -1  # the last layer, if it computes only the first tokens


class Cell(nn.Module):
    """One layer, called like a whole model; runs on fixed hidden states and ignores the ids."""

    def __init__(self, layer: Layer, states: Tensor, share: float, first: int | None, *, keeps_whole: bool) -> None:
        """states: (B, T, H); share: the share of tokens that leave the layer; 1: all. first: as in Wanted."""
        super().__init__()
        self.layer, self.share, self.first, self.keeps_whole = layer, share, first, keeps_whole
        self.register_buffer("states", states, persistent=False)

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor | None = None, token_type_ids: Tensor | None = None
    ) -> Tensor:
        """The states that leave the layer, (B, K, H)."""
        states = self.get_buffer("states")
        if self.share == 1.0:
            out: Tensor = self.layer(states, None, ALL if self.first is None else Wanted(first=self.first))
            return out
        lengths = Lengths((self.share,))
        return self.layer.shorten(State(states), lengths, 0, keeps_whole=self.keeps_whole).hidden


class AtLengths(nn.Module):
    """A model at given lengths; several instances share one model, and only one of them calls it at a time."""

    def __init__(self, model: nn.Module, lengths: Lengths | None) -> None:
        super().__init__()
        self.model, self.lengths = model, lengths

    def forward(self, **inputs: Tensor) -> Tensor:
        """The model's output at these lengths."""
        encoder_of(self.model).lengths = self.lengths
        out: Tensor = self.model(**inputs)
        return out


class LengthTable:
    """Median milliseconds of one call of the whole model, of the model without layers, and of single layers."""

    def __init__(self, ms: dict[str, float], layers: Sequence[int]) -> None:
        """ms: keys such as `whole/128`, `empty/128`, `last/128` or `4/128/0.7` (layer 4: 128 tokens enter, 70 % leave).

        layers: for each layer, the timed layer of the same shape; LAST for a last layer that computes only the first
        tokens.
        """
        self.ms, self.layers = ms, tuple(layers)
        self.grid = sorted(int(name.partition("/")[2]) for name in ms if name.startswith(f"{WHOLE}/"))
        timed = [layer for layer in set(self.layers) if f"{layer}/{self.grid[0]}/{LEAVING[0]}" in ms]
        self._lines = {layer: self._fit(layer) for layer in timed}

    @property
    def digest(self) -> str:
        """Eight hexadecimal digits that identify the table."""
        return hashlib.sha256(json.dumps(self.ms, sort_keys=True).encode()).hexdigest()[:8]

    def predict(self, lengths: Lengths | None, count: int) -> float:
        """The predicted time of one call with texts of `count` tokens, ms."""
        leaving = [count] * len(self.layers) if lengths is None else lengths.kept_of(count)
        empty, whole = self._at(EMPTY, count), self._at(WHOLE, count)
        full = sum(self._layer(layer, count, count) for layer in self.layers)
        spent = sum(self._layer(*cell) for cell in zip(self.layers, [count, *leaving], leaving))
        return empty + (whole - empty) * spent / full

    def mean(self, lengths: Lengths | None, counts: np.ndarray) -> float:
        """The mean predicted time for texts with these token counts, ms."""
        values, times = np.unique(counts, return_counts=True)
        return float(np.average([self.predict(lengths, int(value)) for value in values], weights=times))

    def share(self, lengths: Lengths | None, counts: np.ndarray) -> float:
        """The mean predicted time relative to the full model's."""
        return self.mean(lengths, counts) / self.mean(None, counts)

    def _layer(self, layer: int, entering: int, leaving: int) -> float:
        """The time of one layer called alone, ms."""
        if layer == LAST:
            return self._at("last", entering)
        if leaving >= entering:
            return self._at(f"{layer}", entering, "/1.0")
        starts, slopes = self._lines[layer]
        return float(np.interp(entering, self.grid, starts) + np.interp(entering, self.grid, slopes) * leaving)

    def _at(self, name: str, count: int, ending: str = "") -> float:
        return float(np.interp(count, self.grid, [self.ms[f"{name}/{size}{ending}"] for size in self.grid]))

    def _fit(self, layer: int) -> tuple[list[float], list[float]]:
        """For each number of entering tokens, fit time to leaving tokens: starts (ms) and slopes (ms per token)."""
        found = []
        for size in self.grid:
            leaving = [Lengths((share,)).kept_of(size)[0] for share in LEAVING]
            times = [self.ms[f"{layer}/{size}/{share}"] for share in LEAVING]
            slope, start = np.polyfit(leaving, times, 1)
            found.append((float(start), float(slope)))
        return [start for start, _ in found], [slope for _, slope in found]


def timed_layers(model: Network) -> list[int]:
    """For each layer, the lowest layer with the same widths, which is timed instead; LAST for a last layer that
    computes only the first tokens.
    """
    shapes = widths(model)
    found = [shapes.index(shape) for shape in shapes]
    return found if model.bert.pooler.first is None else [*found[:-1], LAST]


def load_or_measure(model: Network, stopwatch: Stopwatch, *, batch: int, longest: int) -> LengthTable:
    """The table for a model and batches of `batch` texts up to `longest` tokens, from the cache or measured now."""
    facts = {"model": _shape(model), "batch": batch, "longest": longest, **stopwatch.machine}
    key = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]
    path = stopwatch.cache / "speed" / f"lengths-{key}.json"
    layers = timed_layers(model)
    with stopwatch.locked(path):
        if kept := _read(path):
            return LengthTable(kept, layers)
        found = measure_table(model, stopwatch, batch=batch, longest=longest)
        write_whole(path, json.dumps({"facts": facts, "ms": found.ms}, indent=1))
    return found


def _shape(model: Network) -> JsonObject:
    """The parts of a model's config that its times depend on, which excludes the chosen lengths."""
    entries = [entry for entry in model.architecture.get("compressed", ()) if entry["method"] != METHOD]
    return model.architecture | {"compressed": entries}


def _read(path: Path) -> dict[str, float] | None:
    """The times in a cache file; None if the file is missing or damaged."""
    try:
        return {str(name): float(ms) for name, ms in json.loads(path.read_text(encoding="utf-8"))["ms"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def measure_table(model: Network, stopwatch: Stopwatch, *, batch: int, longest: int) -> LengthTable:
    """Measure the table of a model, whose own lengths are not changed."""
    grid = [*(size for size in GRID if size < longest), longest]
    layers, ms = timed_layers(model), dict[str, float]()
    empty = without_sublayers(model)
    with full_length(model), full_length(empty):
        for size in grid:
            shape, cells = {"batch": batch, "length": size}, _cells(model, layers, batch, size)
            ms |= _medians(stopwatch.times(cells, **shape, seconds=CELL_S))
            both = {f"{WHOLE}/{size}": model, f"{EMPTY}/{size}": empty}
            ms |= _medians(stopwatch.times(both, **shape, seconds=WHOLE_S))
    table = LengthTable(ms, layers)
    stopwatch.say(
        f"table {table.digest}: {len(ms)} times of layers and models, {batch} x {grid[0]} to {longest} tokens"
    )
    return table


def _cells(model: Network, layers: Sequence[int], batch: int, size: int) -> dict[str, nn.Module]:
    """The cells of all layer shapes for `size` entering tokens."""
    encoder, first = encoder_of(model), model.bert.pooler.first
    generator = torch.Generator().manual_seed(0)  # does not affect the run's random numbers
    states = torch.randn(batch, size, model.architecture["hidden_size"], generator=generator)
    norm = cast(Layer, encoder.layer[0]).output.LayerNorm.weight  # never quantized; in bf16 if the layers are
    states = states.to(norm.device, norm.dtype)
    found: dict[str, nn.Module] = {}
    for number in dict.fromkeys(layers):
        layer = cast(Layer, encoder.layer[number])
        if number == LAST:
            found[f"last/{size}"] = Cell(layer, states, 1.0, first, keeps_whole=False).eval()
            continue
        for share in (1.0, *LEAVING) if layer.has_heads else (1.0,):
            found[f"{number}/{size}/{share}"] = Cell(layer, states, share, None, keeps_whole=first != 1).eval()
    return found


def _medians(rounds: Mapping[str, Sequence[float]]) -> dict[str, float]:
    return {name: float(np.median(times)) for name, times in rounds.items()}


def measure_choices(
    model: Network, stopwatch: Stopwatch, lengths: Sequence[Lengths | None], batch: int, count: int
) -> list[float]:
    """Median milliseconds of one call with texts of `count` tokens, at each of these lengths, which take turns."""
    made = {str(place): AtLengths(model, one).eval() for place, one in enumerate(lengths)}
    with full_length(model):
        rounds = stopwatch.times(made, batch=batch, length=count, seconds=FRONT_S)
    return [float(np.median(rounds[str(place)])) for place in range(len(lengths))]


@contextmanager
def full_length(model: nn.Module) -> Iterator[None]:
    """Within the block, the model drops no tokens; its lengths are restored afterwards, whatever the block sets."""
    encoder = encoder_of(model)
    before = encoder.lengths
    encoder.lengths = None
    try:
        yield
    finally:
        encoder.lengths = before
