"""The latency table of structured pruning: how long each sublayer takes at each width on this machine.

All sublayers take turns in the same rounds. So do the whole model and the model without any head or neuron: they set
the scale, because a sublayer called by itself finds its weights in the processor's cache and is faster than within a
model. The table is kept in the cache folder, named after everything it depends on, with every ratio that is measured
later. So a machine times each thing once, and the same command cuts the same heads and neurons again.
Source: Kurtic, Frantar & Alistarh 2023, ZipLM, arXiv 2302.04089.
"""

from __future__ import annotations

import copy
import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from models.backbones.bert import Layer
from models.compression.stage import Stopwatch
from models.compression.structured import layer_widths
from models.compression.structured.layer_widths import ATTENTION, Sublayer, layer_of, output_of, sublayers, width_of
from models.compression.structured.search import ffn_widths
from models.json_types import JsonObject
from models.network import Network

WHOLE, EMPTY = "whole", "empty"
CELL_S, WHOLE_S = 0.05, 1.0  # seconds for which a cell and the whole model are timed, over all rounds


class Cell(nn.Module):
    """One sublayer at one width, called like a whole model; fixed hidden states replace those of the ids."""

    def __init__(self, layer: Layer, part: str, width: int, states: Tensor, first: int | None) -> None:
        """states: (B, T, H); first: the number of first tokens whose result is computed, None for all."""
        super().__init__()
        self.part, self.first, self.layer = part, first, copy.deepcopy(layer)
        dense = output_of(layer, part).dense
        layer_widths.cut_sublayer(
            self.layer, part, range(width), dense.weight[:, : width * layer_widths.group_of(layer, part)], dense.bias
        )
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


@dataclass(frozen=True)
class SpeedTable:
    """Milliseconds in each round of `whole`, `empty` and every cell, such as `attention/12` or `ffn/first/1536`."""

    rounds: dict[str, list[float]]
    ratios: dict[str, float] = field(default_factory=dict)  # speed-ups over the whole model, by the widths as text
    path: Path | None = None  # of the file in the cache

    @property
    def content(self) -> JsonObject:
        """Return the medians and ratios that a run keeps, to continue with the same table."""
        return {"rounds": {name: [self.median(name)] for name in self.rounds}, "ratios": self.ratios}

    @property
    def digest(self) -> str:
        """Eight hexadecimal digits that identify the medians."""
        text = json.dumps(self.content["rounds"], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:8]

    def median(self, name: str) -> float:
        """The median over the rounds, ms."""
        return float(np.median(self.rounds[name]))

    def times(self, key: str, sizes: list[int]) -> np.ndarray:
        """Times of a sublayer at these widths, ms: medians made non-decreasing in the width, interpolated linearly."""
        from scipy.optimize import isotonic_regression

        found = (name.rpartition("/") for name in self.rounds)
        known = sorted(int(width) for cell, _, width in found if cell == key)
        level = isotonic_regression([self.median(f"{key}/{width}") for width in known]).x
        return np.interp(sizes, known, level)


def cell_key(model: Network, sublayer: Sublayer) -> str:
    """The name of a sublayer's cells; the last layer has its own if the readout needs only the first tokens."""
    is_last = sublayer.layer == sublayers(model)[-1].layer
    return f"{sublayer.part}/first" if is_last and model.bert.pooler.first is not None else sublayer.part


def candidate_widths(part: str, most: int, multiple: int) -> list[int]:
    """The widths that a sublayer of at most `most` heads or neurons may get, widest first."""
    return list(range(most, -1, -1)) if part == ATTENTION else ffn_widths(most, multiple)


def load_or_measure(model: Network, stopwatch: Stopwatch, *, batch: int, length: int, multiple: int) -> SpeedTable:
    """The table for a model at this batch size and length in tokens, from the cache or measured now."""
    facts = {"model": model.architecture, "batch": batch, "length": length, "multiple": multiple, **stopwatch.machine}
    key = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]
    path = stopwatch.cache / "speed" / f"{key}.json"
    with stopwatch.locked(path):
        if kept := _read_table(path):
            stopwatch.say(f"latency table {kept.digest} from the cache")
            return kept
        made = timing_cells(model, batch, length, multiple)
        stopwatch.say(f"timing {len(made)} cells of {batch} x {length} tokens for the latency table")
        rounds = stopwatch.times(made, batch=batch, length=length, seconds=CELL_S)
        empty = layer_widths.restore(copy.deepcopy(model), {"layers": [[0, 0]] * len(layer_widths.widths(model))})
        rounds |= stopwatch.times({WHOLE: model, EMPTY: empty}, batch=batch, length=length, seconds=WHOLE_S)
        table = SpeedTable(rounds, path=path)
        _write(path, {"facts": facts, "rounds": rounds, "ratios": {}})
    return table


def cached_ratio(
    table: SpeedTable, widths: Sequence[Sequence[int]], stopwatch: Stopwatch, measure: Callable[[], float]
) -> float:
    """The speed-up over the whole model of a model of these widths: from the table, else measured and added."""
    key = " ".join(map(str, widths))
    if key in table.ratios:
        return table.ratios[key]
    if table.path is None:  # from a checkpoint, whose cache may be gone
        return table.ratios.setdefault(key, measure())
    with stopwatch.locked(table.path):
        kept = _read_table(table.path)
        found = kept.ratios.get(key) if kept else None
        table.ratios[key] = measure() if found is None else found
        if kept and found is None:
            content = json.loads(table.path.read_text(encoding="utf-8"))
            _write(table.path, content | {"ratios": kept.ratios | {key: table.ratios[key]}})
    return table.ratios[key]


def _write(path: Path, content: JsonObject) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_text(json.dumps(content, indent=1), encoding="utf-8")
    part.replace(path)


def _read_table(path: Path) -> SpeedTable | None:
    """The table in a file of the cache; None if it is missing or damaged."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return SpeedTable(content["rounds"], dict(content.get("ratios", {})), path)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def timing_cells(model: Network, batch: int, length: int, multiple: int) -> dict[str, nn.Module]:
    """A cell for every kind of sublayer and every width, made from the widest sublayer of that kind."""
    found: dict[str, nn.Module] = {}
    every = sublayers(model)
    device = layer_of(model, every[0]).output.LayerNorm.weight.device
    generator = torch.Generator().manual_seed(0)  # the run's own random numbers stay untouched
    states = torch.randn(batch, length, model.architecture["hidden_size"], generator=generator).to(device)
    for key in dict.fromkeys(cell_key(model, sublayer) for sublayer in every):
        alike = [sublayer for sublayer in every if cell_key(model, sublayer) == key]
        widest = max(alike, key=lambda sublayer: width_of(layer_of(model, sublayer), sublayer.part))
        layer, first = layer_of(model, widest), model.bert.pooler.first if key.endswith("/first") else None
        most = width_of(layer, widest.part)
        for width in candidate_widths(widest.part, most, multiple) if most else []:
            found[f"{key}/{width}"] = Cell(layer, widest.part, width, states, first).eval()
    return found
