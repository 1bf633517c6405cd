"""make bench: masked language modelling against transformers' Trainer, interleaved, on one thread.

Both use the same blocks in the same order, initial weights, optimizer, share of masked words and threads, fp32, and
BERT's dropout. Each engine runs in its own process, and they take turns. Each draws its own masks in every step.
"""

from __future__ import annotations

import os

import numpy as np
from rich.console import Console

from tests.benchmarks.engines import TITLES, Process, Work
from tests.conftest import hub_answers

QUICK = os.environ.get("BENCH_QUICK") == "1"
ROUNDS = 2 if QUICK else 5
STEPS, ROWS, LENGTH = 8, 32, 128  # steps per measurement; blocks per step, tokens per block
WANTED = 2.0  # times the Trainer's tokens per second
SIZES = ("model.dropout=0.1", "model.attention_dropout=0.1", f"train.batch_size={ROWS}", f"data.max_length={LENGTH}")
IMDB = ("data=imdb", "data.split=unsupervised", "data.max_rows=5000")
DEMO = ("data=demo", "model.tokenizer=train")  # about 1,000 words, so the output layer is small


def test_pretraining_is_faster_than_the_trainers() -> None:
    data = IMDB if hub_answers() else DEMO
    work = Work(("task=mlm", "model=bert-tiny", *data, *SIZES, "train.threads=1", "data.max_eval_rows=200"), LENGTH)
    processes = {name: Process(name, work) for name in ("mlm", "c")}
    rates: dict[str, list[float]] = {name: [] for name in processes}
    losses: dict[str, list[float]] = {name: [] for name in processes}
    try:
        for number in range(ROUNDS):
            for name, process in processes.items():
                block = process.run(STEPS, number)
                rates[name].append(block.examples_per_s * LENGTH)
                losses[name].append(float(block.losses[0]))
    finally:
        for process in processes.values():
            process.close()
    ratios = [ours / theirs for ours, theirs in zip(rates["c"], rates["mlm"])]
    say = Console(highlight=False, width=150).print
    say(f"\nbert-tiny on masked words, {data[0]}: {np.median(rates['c']):,.0f} tokens/s; {TITLES['mlm']}:")
    say(f"  {np.median(rates['mlm']):,.0f} tokens/s; {min(ratios):.2f} / {np.median(ratios):.2f} / {max(ratios):.2f} x")
    assert np.allclose(losses["c"], losses["mlm"], atol=0.1), "both start from the same weights"
    assert np.median(ratios) >= (WANTED if data is IMDB else 1.0)
