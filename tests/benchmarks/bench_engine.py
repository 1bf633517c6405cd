"""make bench: a training step of Bertier against transformers' Trainer, interleaved, on one thread.

(a) is the Trainer as run_glue sets it up, (b) the Trainer tuned, (c) ours: the same tokens, first weights, batch
size, optimizer, dropout, precision and threads. Each engine runs in a process of its own; they take turns.
BENCH_QUICK=1 runs the first line alone, with fewer rounds.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
import pytest
from rich.console import Console

from runner.engine import measure_gemm
from tests.benchmarks.engines import Process, Work
from tests.conftest import hub_answers

QUICK = os.environ.get("BENCH_QUICK") == "1"
ROUNDS = 3 if QUICK else 5
MINILM = ("model.layers=6", "model.hidden=384", "model.heads=12", "model.intermediate=1536")


@dataclass
class Line:
    """One line of the table: what to train, how long a block is, and the least median ratios."""

    name: str
    words: tuple[str, ...]
    pad_to: int
    steps: int  # of a block of (b) and (c); 50 are one group of the Trainer's sampler
    least_a: float | None
    least_b: float
    rounds: int = ROUNDS


LINES = [
    Line("bert-tiny, SST-2", ("model=bert-tiny", "data=sst2"), 128, 100, 11, 1.6),
    Line("bert-mini, SST-2", ("model=bert-mini", "data=sst2"), 128, 50, 17, 1.8),
    Line("bert-tiny, IMDB", ("model=bert-tiny", "data=imdb"), 512, 50, 3.8, 1.5, rounds=3),
    Line("MiniLM-L6 shape, SST-2", ("model=bert-tiny", "data=sst2", *MINILM), 128, 50, None, 1.5, rounds=3),
]
DEMO = Line("bert-tiny, built-in texts", ("model=bert-tiny", "data=demo"), 128, 50, 3, 1.2)


def work_of(line: Line, *more: str) -> Work:
    return Work((*line.words, "train.threads=1", "train.batch_size=32", "model.pretrained=null", *more), line.pad_to)


def spread(values: list[float]) -> str:
    return f"{min(values):.2f} / {np.median(values):.2f} / {max(values):.2f}"


def lines() -> list[Line]:
    if not hub_answers():
        return [DEMO]
    return LINES[:1] if QUICK else LINES


@pytest.mark.parametrize("line", lines(), ids=lambda line: line.name)
def test_steps_are_faster_than_the_trainers(line: Line) -> None:
    engines = "abc" if line.least_a else "bc"
    processes = {name: Process(name, work_of(line)) for name in engines}
    try:
        flops = processes["c"].run(20, 0, count=True).flops
        rates: dict[str, list[float]] = {name: [] for name in engines}
        for number in range(line.rounds):
            for name in engines:
                # Padded to the maximum all batches cost the same, so a few tell.
                steps = max(4, line.steps // 10) if name == "a" else line.steps
                rates[name].append(processes[name].run(steps, number).examples_per_s)
        gemm = measure_gemm(["default"])[0]["default"]
    finally:
        for process in processes.values():
            process.close()
    share = np.median(rates["c"]) / 32 * flops / (gemm * 1e9)
    say = Console(highlight=False, width=150).print
    say(f"\n{line.name}: {np.median(rates['c']):,.0f} examples/s, {share:.0%} of the measured {gemm:.0f} GFLOP/s")
    for name, least in (("a", line.least_a), ("b", line.least_b)):
        if least:
            ratios = [ours / other for ours, other in zip(rates["c"], rates[name])]
            say(f"  against ({name}) {np.median(rates[name]):,.0f} examples/s: {spread(ratios)} x  (wanted {least})")
            assert np.median(ratios) >= least, name
