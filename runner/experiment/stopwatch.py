"""Times of models for a compression stage, before and within a run: models take turns, all other runs stand still."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from data.splits import Splits
from data.stores.build_once import locked
from runner.machine import exclusive as turns
from runner.machine.facts import cpu_model, torch_facts
from runner.schema import Settings

if TYPE_CHECKING:
    from runner.experiment.progress import Terminal

ROUNDS = 20  # short ones: a burst of other work spoils a few of them, and their median not at all


class Stopwatch:
    """What models/compression/stage.py calls so."""

    def __init__(self, settings: Settings, splits: Splits, device: torch.device, terminal: Terminal) -> None:
        self.settings, self.splits, self.device, self.terminal = settings, splits, device, terminal
        self.cache = Path(settings.paths.cache).expanduser()
        self.machine = {"cpu": cpu_model(), "device": str(device), "version": torch.__version__}
        self.machine |= (torch_facts() or {}) | {"threads": settings.measure.threads}

    def say(self, text: str) -> None:
        """Escaped, whatever it holds."""
        self.terminal.say(text)

    @contextmanager
    def locked(self, path: Path) -> Iterator[None]:
        """By a lock file beside it; who waits for it is not at work."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with locked(path.with_name(f"{path.name}.lock"), turns.waiting):
            yield

    def latency(self, model: nn.Module, *, batch: int = 1, length: int = 128) -> float:
        """The median round's."""
        seconds = self.settings.measure.min_time_s
        return float(np.median(self.times({"model": model}, batch=batch, length=length, seconds=seconds)["model"]))

    def times(
        self, models: Mapping[str, nn.Module], *, batch: int = 1, length: int = 128, seconds: float
    ) -> dict[str, list[float]]:
        """On one thread, or as many as measure.threads says, while all other runs of this cache stand still.

        One thread on a CPU is timed by its own clock: a call's processor time is what it would take on an idle machine.
        Beside 14 busy processes on 4 cores, a MiniLM was 0.99-1.01 times as fast as itself by that, 0.94-1.06 by the
        wall's.
        """
        from runner.measure.inputs import Cell, draw_batch
        from runner.measure.latency import measure_latency

        threads, cell = self.settings.measure.threads, Cell(batch, length)
        inputs = [draw_batch(self.splits.train.tokens, batch, length, seed=seed) for seed in range(ROUNDS)]
        with turns.alone(self.say):
            report = measure_latency(
                models, [cell], threads=threads, min_time_s=seconds, rounds=ROUNDS, make_batch=lambda _: inputs
            )
        is_own = threads == 1 and self.device.type == "cpu"
        return {name: cells[cell].round_medians_ms(is_own).tolist() for name, cells in report.times.items()}
