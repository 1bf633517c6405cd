"""make bench: a training step of Bertier against transformers' Trainer, interleaved, on one thread.

(a) is the Trainer as run_glue configures it, (b) the tuned Trainer, (c) ours, with the same tokens, initial weights,
batch size, optimizer, dropout, threads and precision (fp32; if a line says bf16, only ours uses it). Each engine runs
in its own process, and they take turns. BENCH_QUICK=1 runs only the first line, with fewer rounds.

The target ratios are from a processor on which torch's own fp32 matrix products run at half the rate of oneDNN's,
which only (c) uses. If both run at the processor's full rate, all engines spend the same time on products, and the
wider the model, the less there is to gain. So each line also has a lower limit, below which the test fails; it prints
"not reached" if a ratio misses its target.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
import pytest
from rich.console import Console

from runner.machine.matmul import measure_gemm
from tests.benchmarks.engines import Process, Work
from tests.conftest import hub_answers

QUICK = os.environ.get("BENCH_QUICK") == "1"
ROUNDS = 2 if QUICK else 5
MINILM = ("model.layers=6", "model.hidden=384", "model.heads=12", "model.intermediate=1536")


@dataclass
class Line:
    """One line of the table: what to train, steps per block, and the target and least acceptable median ratios."""

    name: str
    words: tuple[str, ...]
    pad_to: int
    steps: int  # per block of (b) and (c); the Trainer's sampler groups 50 batches
    wanted: dict[str, float]  # engine -> ratio
    floor: dict[str, float]
    rounds: int = ROUNDS
    ours: tuple[str, ...] = ()  # further overrides for (c)


TINY, MINI = ("model=bert-tiny", "data=sst2"), ("model=bert-mini", "data=sst2")
LINES = [
    Line("bert-tiny, SST-2", TINY, 128, 100, {"a": 11, "b": 1.6}, {"a": 9, "b": 1.4}),
    Line("bert-mini, SST-2", MINI, 128, 50, {"a": 17, "b": 1.8}, {"a": 9, "b": 1.3}),
    Line("bert-tiny, IMDB", ("model=bert-tiny", "data=imdb"), 512, 50, {"a": 3.8, "b": 1.5}, {"a": 3.8, "b": 1.5}, 3),
    Line("MiniLM-L6 shape, SST-2", ("model=bert-tiny", "data=sst2", *MINILM), 128, 50, {"b": 1.5}, {"b": 1.15}, 3),
    Line("bert-mini, SST-2, bf16", MINI, 128, 50, {"b": 2.3}, {"b": 0.3}, 3, ours=("train.precision=bf16",)),
]
DEMO = Line(
    "bert-tiny, built-in texts", ("model=bert-tiny", "data=demo"), 128, 50, {"a": 3, "b": 1.2}, {"a": 2, "b": 1.1}
)


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
    rates, flops = measure(line)
    gemm = measure_gemm(["default", "onednn", "bf16"])[0]
    share = np.median(rates["c"]) / 32 * flops / (gemm["default"] * 1e9)
    say = Console(highlight=False, width=150).print
    say(f"\n{line.name}: {np.median(rates['c']):,.0f} examples/s, {share:.0%} of the rate of fp32 products {gemm}")
    for name, wanted in line.wanted.items():
        ratios = [ours / other for ours, other in zip(rates["c"], rates[name])]
        verdict = "" if np.median(ratios) >= wanted else ": not reached"
        say(
            f"  against ({name}) {np.median(rates[name]):,.0f} examples/s: {spread(ratios)} x, wanted {wanted}{verdict}"
        )
        assert np.median(ratios) >= line.floor[name], name


def measure(line: Line) -> tuple[dict[str, list[float]], float]:
    """Examples per second of each engine in each round, and the FLOPs of one of our steps."""
    works = {name: work_of(line) for name in line.wanted} | {"c": work_of(line, *line.ours)}
    processes = {name: Process(name, work) for name, work in works.items()}
    try:
        flops = processes["c"].run(20, 0, count=True).flops
        rates: dict[str, list[float]] = {name: [] for name in works}
        for number in range(line.rounds):
            for name, process in processes.items():
                # Batches padded to the maximum all take equally long, so a few suffice.
                steps = max(4, line.steps // 10) if name == "a" else line.steps
                rates[name].append(process.run(steps, number).examples_per_s)
        return rates, flops
    finally:
        for process in processes.values():
            process.close()
