"""The latency of models for a compression stage, before and within a run: models take turns, other runs are paused."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import nn

from data.splits import Splits
from data.stores.build_once import locked
from runner.machine.exclusive import Exclusive
from runner.machine.facts import cpu_model, torch_facts
from runner.measure.inputs import Cell, draw_batch
from runner.measure.latency import measure_latency
from runner.schema import Settings

ROUNDS = 20  # short ones: a burst of other work spoils a few of them, and their median not at all


class Stopwatch:
    """The Stopwatch of models/compression/stage.py."""

    def __init__(
        self, settings: Settings, splits: Splits, device: torch.device, notify: Callable[[str], None],
        exclusive: Exclusive,
    ) -> None:  # fmt: skip
        self.settings, self.splits, self.device = settings, splits, device
        self.notify, self.exclusive = notify, exclusive
        self.cache = Path(settings.paths.cache).expanduser()
        self.machine = {"cpu": cpu_model(), "device": str(device), "version": torch.__version__}
        self.machine |= (torch_facts() or {}) | {"threads": settings.measure.threads}

    def say(self, text: str) -> None:
        """Show the text, escaped, whatever it holds."""
        self.notify(text)

    @contextmanager
    def locked(self, path: Path) -> Iterator[None]:
        """Hold a lock file beside `path`; a process that waits for it is not at work."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with locked(path.with_name(f"{path.name}.lock"), self.exclusive.waiting):
            yield

    def latency(self, model: nn.Module, *, batch: int = 1, length: int = 128) -> float:
        """Median milliseconds of one call, over the rounds."""
        seconds = self.settings.measure.min_time_s
        return float(np.median(self.times({"model": model}, batch=batch, length=length, seconds=seconds)["model"]))

    def times(
        self, models: Mapping[str, nn.Module], *, batch: int = 1, length: int = 128, seconds: float
    ) -> dict[str, list[float]]:
        """Median milliseconds of one call of each model in each round, while all other runs of this cache are paused.

        It runs on measure.threads threads. One thread on a CPU is timed by its own clock: a call's processor time is
        its time on an idle machine. With 14 other busy processes on 4 cores, repeated timings of a MiniLM agreed within
        0.99-1.01 by that clock, and 0.94-1.06 by wall time.
        """
        threads, cell = self.settings.measure.threads, Cell(batch, length)
        inputs = [draw_batch(self.splits.train, batch, length, seed=seed) for seed in range(ROUNDS)]
        with self.exclusive.exclusive_timing(self.say):
            report = measure_latency(
                models, [cell], threads=threads, min_time_s=seconds, rounds=ROUNDS, make_batch=lambda _: inputs
            )
        is_own = threads == 1 and self.device.type == "cpu"
        return {name: cells[cell].round_medians_ms(is_own).tolist() for name, cells in report.times.items()}
