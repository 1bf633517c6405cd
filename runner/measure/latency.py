"""Wall and CPU time of models, measured side by side.

The speed of a shared machine changes from second to second, so the models of one table take turns: a warm-up, then
rounds of short blocks, each round on the same inputs for all models. Ratios are only formed within a round. All samples
are kept. Fewer than 3 rounds are refused.

    report = measure_latency({"dsn": dsn, "bert-tiny": tiny}, cells, threads=1, min_time_s=0.3, rounds=5,
                             make_batch=make_batch)
    report.speedup("dsn", "bert-tiny", Cell(1, 128))
"""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from runner.machine.collector import paused_collector
from runner.machine.facts import load_average
from runner.measure.inputs import Cell, Inputs, device_of, evaluating, to_device

WARM_UP_CALLS = 3  # the first call allocates memory and picks kernels; from the third on times are stable
NOISY = 1.5  # p90/p50 on the same input; above it the machine was busy with other work

MakeBatch = Callable[[Cell], Sequence[Inputs]]


@dataclass(frozen=True)
class CellTimes:
    """All timed calls of one model in one cell, as parallel arrays over the samples."""

    cell: Cell
    wall_ms: np.ndarray
    cpu_ms: np.ndarray
    batch: np.ndarray  # which batch of the cell each sample used
    round: np.ndarray
    rows: np.ndarray  # rows per batch, indexed by `batch`

    def percentile_ms(self, share: float) -> float:
        """Return the wall time that this share (0..1) of the calls does not exceed; all batches have equal weight."""
        return self._percentile(self.wall_ms, share)

    @property
    def cpu_ms_p50(self) -> float:
        """Return the median CPU time of a call, summed over all threads of the process."""
        return self._percentile(self.cpu_ms, 0.5)

    @property
    def examples_per_s(self) -> float:
        """Return rows per second when every batch takes its median time."""
        medians = self._batch_medians()
        return float(1000 * self.rows[: len(medians)].sum() / medians.sum())

    @property
    def noise(self) -> float:
        """Return p90/p50 on the same input: samples are first divided by the median of their batch."""
        return self._percentile(self.wall_ms / self._batch_medians()[self.batch], 0.9)

    def round_medians_ms(self, cpu: bool = False) -> np.ndarray:
        """Return the median wall (or CPU) time of each round, (rounds,)."""
        samples = self.cpu_ms if cpu else self.wall_ms
        return np.array([np.median(samples[self.round == r]) for r in range(self.round.max() + 1)])

    def _percentile(self, values: np.ndarray, share: float) -> float:
        # Weighted, since a round of short rows fits in more calls than a round of long rows.
        weights = 1.0 / np.bincount(self.batch)[self.batch]
        return float(np.quantile(values, share, weights=weights, method="inverted_cdf"))

    def _batch_medians(self) -> np.ndarray:
        return np.array([np.median(self.wall_ms[self.batch == b]) for b in range(self.batch.max() + 1)])


@dataclass(frozen=True)
class LatencyReport:
    """The times of every model in every cell (`times[model][cell]`), and how busy the machine was."""

    times: dict[str, dict[Cell, CellTimes]]
    threads: int
    load_before: float | None
    load_after: float | None

    def speedup(self, model: str, baseline: str, cell: Cell) -> float:
        """Return how many times faster than the baseline a model is: the median of the rounds' ratios."""
        own, other = self.times[model][cell], self.times[baseline][cell]
        return float(np.median(other.round_medians_ms() / own.round_medians_ms()))

    def warnings(self) -> list[str]:
        """Return one line if times scatter too much to compare: the worst case, and how many there are; else []."""
        noise = {(model, cell): times.noise for model, cells in self.times.items() for cell, times in cells.items()}
        noisy = sorted((key for key, value in noise.items() if value > NOISY), key=lambda key: -noise[key])
        if not noisy:
            return []
        model, cell = noisy[0]
        calls = len(self.times[model][cell].wall_ms)
        several = f"in {len(noisy)} of {len(noise)} timings, at worst " if len(noise) > 1 else ""
        return [
            f"the machine was busy: {several}{model} {cell.name}: p90 is {noise[noisy[0]]:.1f} x p50 over {calls} "
            f"calls of one input (load average {_shown(self.load_before)} before, {_shown(self.load_after)} after). "
            "Try: measure again when it is idle, or a longer measure.min_time_s"
        ]


def measure_latency(
    models: Mapping[str, nn.Module],
    cells: Sequence[Cell],
    *,
    threads: int,
    min_time_s: float,
    rounds: int,
    make_batch: MakeBatch,
) -> LatencyReport:
    """Return the times of all models in all cells, in eval and inference mode.

    min_time_s: seconds per model and cell, spread over the rounds; a slow model still gets one call per round and
    batch. make_batch: the inputs of a cell; round r uses batches r, r + rounds, ..., or one batch in turn if there are
    fewer batches than rounds. Threads, training flags and garbage collection are restored.
    """
    if rounds < 3:
        raise ValueError(f"rounds={rounds}: a median of rounds needs 3 or more. Try: measure.rounds=3")
    load_before = load_of_last_minute()
    times: dict[str, dict[Cell, CellTimes]] = {name: {} for name in models}
    with evaluating(*models.values()), torch.inference_mode(), fixed_threads(threads), without_collection():
        for cell in cells:
            batches = make_batch(cell)
            timers = {name: _Timer(model, batches) for name, model in models.items()}
            for turn in range(rounds):
                for timer in timers.values():
                    timer.block(turn, rounds, min_time_s / rounds)
            for name, timer in timers.items():
                times[name][cell] = timer.result(cell)
    return LatencyReport(times, threads, load_before, load_of_last_minute())


def load_of_last_minute() -> float | None:
    """Return the 1-minute load average; None if the system has none."""
    load = load_average()
    return load[0] if load else None


class _Timer:
    """Times one model in one cell: holds the inputs on the model's device, and the samples so far."""

    def __init__(self, model: nn.Module, batches: Sequence[Inputs]) -> None:
        device = device_of(model)
        self.model = model
        self.batches = [to_device(inputs, device) for inputs in batches]
        self.synchronize = torch.cuda.synchronize if device.type == "cuda" else _nothing
        self.samples: list[tuple[float, float, int, int]] = []  # wall ms, CPU ms, batch, round

    def block(self, turn: int, rounds: int, seconds: float) -> None:
        """Warm up, then call the model on all batches of this round, repeatedly for `seconds`."""
        own = range(turn, len(self.batches), rounds) or [turn % len(self.batches)]
        for _ in range(math.ceil(WARM_UP_CALLS / len(own)) if turn == 0 else 1):
            for number in own:
                self._call(number)
        end = time.perf_counter() + seconds
        while True:
            # Only full passes, so that within a round every batch, short or long, has the same number of samples.
            self.samples += [(*self._call(number), number, turn) for number in own]
            if time.perf_counter() >= end:
                return

    def result(self, cell: Cell) -> CellTimes:
        wall, cpu, batch, turn = (np.array(column) for column in zip(*self.samples))
        used, batch = np.unique(batch, return_inverse=True)
        rows = np.array([_rows(self.batches[number]) for number in used])
        return CellTimes(cell, wall, cpu, batch, turn, rows)

    def _call(self, number: int) -> tuple[float, float]:
        inputs = self.batches[number]
        self.synchronize()
        cpu = time.process_time_ns()
        start = time.perf_counter_ns()
        self.model(**inputs)
        self.synchronize()
        wall = time.perf_counter_ns() - start
        return wall / 1e6, (time.process_time_ns() - cpu) / 1e6


def _rows(inputs: Inputs) -> int:
    ids = inputs["input_ids"]
    assert ids is not None
    return len(ids)


def _nothing() -> None:
    """Replace `synchronize` on a CPU, where calls are synchronous."""


def _shown(load: float | None) -> str:
    return "unknown" if load is None else f"{load:.1f}"


@contextmanager
def fixed_threads(count: int) -> Iterator[None]:
    """Let torch use `count` threads for a block, and restore the previous number afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def without_collection() -> Iterator[None]:
    """Collect garbage once, then disable collection for a block."""
    # As timeit does: a collection takes longer than a call of a tiny model, and would distort random calls.
    gc.collect()
    with paused_collector():
        yield
