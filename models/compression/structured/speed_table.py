"""The latency table of structured pruning: how long each sublayer takes at each width on this machine.

All sublayers take turns in the same rounds. So do the whole model and the model without heads and neurons, which set
the scale: a sublayer timed alone finds its weights in the CPU cache and is faster than within a model. The table is
kept in the cache folder under a hash of everything it depends on, with all ratios measured later. So a machine times
each thing once, and the same command cuts the same heads and neurons again.
Source: Kurtic, Frantar & Alistarh 2023, ZipLM, arXiv 2302.04089.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from models.checkpoints.atomic import write_whole
from models.compression.stage import Stopwatch
from models.compression.structured import layer_widths
from models.compression.structured.cells import timing_cells
from models.json_types import JsonObject
from models.network import Network

WHOLE, EMPTY = "whole", "empty"
CELL_S, WHOLE_S = 0.05, 1.0  # seconds of timing for a cell and for the whole model, over all rounds


@dataclass(frozen=True)
class SpeedTable:
    """Milliseconds per round for `whole`, `empty` and every cell, such as `attention/12` or `ffn/first/1536`."""

    rounds: dict[str, list[float]]
    ratios: dict[str, float] = field(default_factory=dict)  # speed-ups over the whole model; keys: widths as text
    path: Path | None = None  # the file in the cache

    @property
    def content(self) -> JsonObject:
        """The medians and ratios that a run saves, so that it can resume with the same table."""
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
        """Times of a sublayer at these widths, ms: medians, made non-decreasing in width, linearly interpolated.

        They are 0 for a kind of sublayer without cells, because an earlier cut has emptied all that are of this kind.
        """
        from scipy.optimize import isotonic_regression

        found = (name.rpartition("/") for name in self.rounds)
        known = sorted(int(width) for cell, _, width in found if cell == key)
        if not known:
            return np.zeros(len(sizes))
        level = isotonic_regression([self.median(f"{key}/{width}") for width in known]).x
        return np.interp(sizes, known, level)


def load_or_measure(model: Network, stopwatch: Stopwatch, *, batch: int, length: int, multiple: int) -> SpeedTable:
    """The table for a model at this batch size and length in tokens, read from the cache or measured now."""
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
    """The speed-up of a model with these widths over the whole model: from the table, or measured and added to it."""
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
    write_whole(path, json.dumps(content, indent=1))


def _read_table(path: Path) -> SpeedTable | None:
    """The table in a cache file; None if the file is missing or damaged."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return SpeedTable(content["rounds"], dict(content.get("ratios", {})), path)
    except (OSError, ValueError, KeyError, TypeError):
        return None
