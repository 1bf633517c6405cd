"""How long each half of a layer takes at each width, on this machine: the table that a structured pruning goes by.

All halves take turns in the same rounds; so do the whole model and what is left of it without any head or neuron,
because a half called by itself finds its weights in the cache and is faster than within a model. The table is kept in
the cache folder under what it depends on. Source: Kurtic, Frantar & Alistarh 2023, ZipLM, arXiv 2302.04089.
"""

from __future__ import annotations

import copy
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from models.compression.stage import Stopwatch
from models.compression.structure import shrink
from models.compression.structure.search import ffn_widths
from models.compression.structure.shrink import ATTENTION, Block, blocks, layer_of, output_of, width_of
from models.encoder import Layer

WHOLE, EMPTY = "whole", "empty"
CELL_S, WHOLE_S = 0.05, 1.0  # seconds that a cell and the whole model are timed for, spread over the rounds


class Cell(nn.Module):
    """One half of a layer at one width, called as a whole model is; its states stand in for those of the ids."""

    def __init__(self, layer: Layer, kind: str, width: int, states: Tensor, first: int | None) -> None:
        """states: (B, T, H); first: of how many tokens the result is asked for, None for all."""
        super().__init__()
        self.kind, self.first, self.layer = kind, first, copy.deepcopy(layer)
        dense = output_of(layer, kind).dense
        shrink.cut(self.layer, kind, range(width), dense.weight[:, : width * shrink.group_of(layer, kind)], dense.bias)
        for other in ("intermediate", "output") if kind == ATTENTION else ("attention",):
            delattr(self.layer, other)
        self.register_buffer("states", states, persistent=False)
        self.register_buffer("bias", states.new_zeros(len(states), 1, 1, states.shape[1]), persistent=False)

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None, token_type_ids: Any = None) -> Tensor:
        """(B, T) to (B, T, H), or to (B, first, H)."""
        states = self.get_buffer("states")
        if self.kind == ATTENTION:
            attended: Tensor = self.layer.attention(states, self.get_buffer("bias"), self.first)
            return attended
        out: Tensor = self.layer.output(self.layer.intermediate(states[:, : self.first]), states[:, : self.first])
        return out


@dataclass(frozen=True)
class SpeedTable:
    """Milliseconds in each round of `whole`, `empty` and every cell, such as `attention/12` or `ffn/first/1536`."""

    rounds: dict[str, list[float]]

    def of(self, name: str) -> float:
        """The median round of one, ms."""
        return float(np.median(self.rounds[name]))

    def times(self, key: str, sizes: list[int]) -> np.ndarray:
        """Of a half at these widths, ms: medians made non-decreasing in the width, and lines between them."""
        from scipy.optimize import isotonic_regression

        found = (name.rpartition("/") for name in self.rounds)
        known = sorted(int(width) for cell, _, width in found if cell == key)
        level = isotonic_regression([self.of(f"{key}/{width}") for width in known]).x
        return np.interp(sizes, known, level)


def key_of(model: Any, block: Block) -> str:
    """The cells of a half: the last layer's are their own where the readout asks for the first tokens only."""
    is_last = block.layer == blocks(model)[-1].layer
    return f"{block.kind}/first" if is_last and hasattr(model.bert.pooler, "first") else block.kind


def levels(kind: str, most: int, multiple: int) -> list[int]:
    """The widths that a half of at most `most` heads or neurons may get, widest first."""
    return list(range(most, -1, -1)) if kind == ATTENTION else ffn_widths(most, multiple)


def measured(model: Any, stopwatch: Stopwatch, *, batch: int, length: int, multiple: int) -> SpeedTable:
    """The table for a model at that batch size and length in tokens, from the cache where it lies there."""
    facts = {"model": model.architecture, "batch": batch, "length": length, "multiple": multiple, **stopwatch.machine}
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    path = stopwatch.cache / "speed" / f"{digest[:16]}.json"
    if kept := _kept(path):
        stopwatch.say(f"latency table {digest[:8]} from the cache")
        return kept
    made = cells(model, batch, length, multiple)
    stopwatch.say(f"latency table {digest[:8]}: timing {len(made)} cells of {batch} x {length} tokens")
    rounds = stopwatch.times(made, batch=batch, length=length, seconds=CELL_S)
    empty = shrink.restore(copy.deepcopy(model), {"layers": [[0, 0]] * len(shrink.widths(model))})
    rounds |= stopwatch.times({WHOLE: model, EMPTY: empty}, batch=batch, length=length, seconds=WHOLE_S)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_text(json.dumps({"facts": facts, "rounds": rounds}, indent=1), encoding="utf-8")
    part.replace(path)
    return SpeedTable(rounds)


def _kept(path: Path) -> SpeedTable | None:
    """The table in a file of the cache; None where there is none, or a damaged one."""
    try:
        return SpeedTable(json.loads(path.read_text(encoding="utf-8"))["rounds"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def cells(model: Any, batch: int, length: int, multiple: int) -> dict[str, nn.Module]:
    """A cell for every kind of half and every width, made of the widest half of that kind."""
    found: dict[str, nn.Module] = {}
    halves = blocks(model)
    device = layer_of(model, halves[0]).output.LayerNorm.weight.device
    generator = torch.Generator().manual_seed(0)  # the run's own random numbers stay untouched
    states = torch.randn(batch, length, model.architecture["hidden_size"], generator=generator).to(device)
    for key in dict.fromkeys(key_of(model, block) for block in halves):
        alike = [block for block in halves if key_of(model, block) == key]
        widest = max(alike, key=lambda block: width_of(layer_of(model, block), block.kind))
        layer, first = layer_of(model, widest), model.bert.pooler.first if key.endswith("/first") else None
        most = width_of(layer, widest.kind)
        for width in levels(widest.kind, most, multiple) if most else []:
            found[f"{key}/{width}"] = Cell(layer, widest.kind, width, states, first).eval()
    return found
