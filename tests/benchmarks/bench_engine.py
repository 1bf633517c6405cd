"""make bench: a training step of Bertier against transformers' Trainer, interleaved, on one thread.

(a) is the Trainer as run_glue sets it up, (b) the Trainer tuned, (c) ours: the same tokens, first weights, batch
size, optimizer, dropout, precision (fp32 unless the line says bf16, which is then ours alone) and threads. Each engine
runs in a process of its own; they take turns. BENCH_QUICK=1 runs the first line alone, with fewer rounds.

The ratios that are wanted come from a processor on which torch's own fp32 products run at half the rate of oneDNN's,
which only (c) uses. Where both run at the processor's full rate all three engines spend the same time on products,
and the wider the model the less is left to win. So each line has a floor of its own, below which something broke, and
prints "not reached" where it falls short of what is wanted.
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
    """One line of the table: what to train, how long a block is, and the median ratios wanted and at least."""

    name: str
    words: tuple[str, ...]
    pad_to: int
    steps: int  # of a block of (b) and (c); 50 are one group of the Trainer's sampler
    wanted: dict[str, float]  # engine -> ratio
    floor: dict[str, float]
    rounds: int = ROUNDS
    ours: tuple[str, ...] = ()  # words for (c) alone


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
    """Examples a second of each engine by round, and the floating-point operations of one of our steps."""
    works = {name: work_of(line) for name in line.wanted} | {"c": work_of(line, *line.ours)}
    processes = {name: Process(name, work) for name, work in works.items()}
    try:
        flops = processes["c"].run(20, 0, count=True).flops
        rates: dict[str, list[float]] = {name: [] for name in works}
        for number in range(line.rounds):
            for name, process in processes.items():
                # Padded to the maximum all batches cost the same, so a few tell.
                steps = max(4, line.steps // 10) if name == "a" else line.steps
                rates[name].append(process.run(steps, number).examples_per_s)
        return rates, flops
    finally:
        for process in processes.values():
            process.close()
