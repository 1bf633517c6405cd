"""make bench: training speed of a DSN against bert-tiny, of parallel runs, and as the number of rows grows."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from data.sources.demo import generate_demo
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.experiment.recipe import recipe_of
from runner.machine.facts import usable_cores
from tests.benchmarks.bench_engine import spread
from tests.benchmarks.engines import Process, Work
from tests.conftest import hub_answers

ROUNDS = 3
COMMON = ("train.threads=1", "train.batch_size=32")
TINY = ("model=bert-tiny", "model.pretrained=null", *COMMON)


def test_a_dsn_trains_many_times_faster_than_bert_tiny() -> None:
    """A DSN of 497K parameters, both with our engine, on long texts if a hub answers."""
    hub = hub_answers()
    words = ("data=imdb",) if hub else ("data=demo", "data.demo_rows=6000")
    dsn = Process("c", Work((*words, *COMMON, "model=dsn", "model.width=0.125"), 512))
    tiny = Process("c", Work((*words, *TINY), 512))
    try:
        ratios = [dsn.run(400, n).examples_per_s / tiny.run(40, n).examples_per_s for n in range(ROUNDS)]
    finally:
        dsn.close()
        tiny.close()
    print(f"\nDSN 497K against bert-tiny, {words[0]}: {spread(ratios)} x, wanted {40 if hub else 3}")
    assert np.median(ratios) >= (40 if hub else 3)


def test_runs_side_by_side_keep_their_speed() -> None:
    """N processes on N or more cores reach at least 0.85 N times the speed of one."""
    data = "sst2" if hub_answers() else "demo"
    count = min(4, usable_cores())
    if count == 1:
        pytest.skip("one core")
    work = Work((f"data={data}", *TINY), 128)
    processes = [Process("c", work) for _ in range(count)]
    gains: dict[int, list[float]] = {n: [] for n in (2, 4) if n <= count}
    try:
        for process in processes:
            process.run(20, 0)
        for number in range(ROUNDS):
            alone = _rate(processes[:1], number)
            for n, found in gains.items():
                found.append(_rate(processes[:n], number) / alone)
    finally:
        for process in processes:
            process.close()
    for n, found in gains.items():
        print(f"\n{n} runs on {count} cores: {spread(found)} x one run, wanted {0.85 * n:.2f}")
    for n, found in gains.items():
        assert np.median(found) >= 0.85 * n


def _rate(processes: list[Process], seed: int) -> float:
    """Examples per second of all processes together."""
    with ThreadPoolExecutor(len(processes)) as pool:
        return sum(pool.map(lambda process: process.run(150, seed).examples_per_s, processes))


def test_cost_grows_no_faster_than_the_rows(tmp_path: Path) -> None:
    """Time reading and tokenisation, and one DSN epoch, at 1x, 4x and 16x the rows."""
    seconds = {}
    for times in (1, 1, 4, 16):  # the first is a warm-up
        path = tmp_path / f"{times}.csv"
        rows = generate_demo("sentiment", 3000 * times, 0)
        path.write_text("text,label\n" + "".join(f'"{row[0]}",{row[2]}\n' for row in rows), encoding="utf-8")
        seconds[times] = _epoch_of(path, tmp_path / f"cache{times}{len(seconds)}")
    for times, (data, train) in seconds.items():
        print(f"\n{3000 * times:6,} rows: data {data:5.2f} s, training {train:5.2f} s", end="")
    print()
    for part in (0, 1):
        assert seconds[16][part] <= 16 * 1.3 * seconds[1][part], "more than linear"


def _epoch_of(path: Path, cache: Path) -> tuple[float, float]:
    import torch

    from data.load import load_splits
    from models.build import build
    from models.heads.base import HeadSpec
    from runner.tasks.make import task_of
    from runner.training.trainer import Trainer

    words = [f"data.path={path}", "data=files", "data.text=text", "data.label=label", "model.tokenizer=train"]
    settings = resolve(compose(["model=dsn", "train.epochs=1", *words, "model.vocab_size=2000", *COMMON]))
    begun = time.perf_counter()
    splits = load_splits(settings.data, tokenizer="train", vocab_size=2000, cache=cache)
    middle = time.perf_counter()
    model, _ = build(settings.model, head=HeadSpec(outputs=2), vocab_size=splits.tokenizer.vocab_size, pad_id=0)
    loop = Trainer(model.train(), splits, task_of(splits, settings), recipe_of(settings), torch.device("cpu"))
    for rows in loop.plan.batches(0):
        loop.step(rows)
    return middle - begun, time.perf_counter() - middle
