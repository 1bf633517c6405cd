"""make bench: examples per second of training a head on cached states against fine-tuning the whole encoder.

bert-mini on SST-2 (built-in texts if no hub answers), one thread, each with its own recipe's batch size, taking turns
in one process. Computing the states is timed separately: it happens once for all epochs, seeds and heads.
"""

from __future__ import annotations

import copy
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from rich.console import Console

from data.load import load_splits
from data.stores.build_once import SharedCache
from models.backbones.freeze import freeze
from models.build import build
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.experiment.recipe import recipe_of
from runner.machine.matmul import prepare_arithmetic
from runner.tasks.make import task_of
from runner.training.frozen_states import attach_frozen_states
from runner.training.trainer import Trainer
from tests.benchmarks.bench_engine import spread
from tests.conftest import hub_answers

ROUNDS = 2 if os.environ.get("BENCH_QUICK") == "1" else 5
WANTED = 10.0
CPU = torch.device("cpu")
HEADS = ["adapter_pool", "cls_layers"]


def composed(*words: str) -> Any:
    """The settings of these overrides, on SST-2 if a hub answers, else on built-in texts."""
    data = ["data=sst2", "data.max_rows=6000"] if hub_answers() else ["data=demo", "data.demo_rows=6000"]
    return resolve(compose([*data, "train.threads=1", "model.pretrained=null", *words]))


def rate(settings: Any, model: torch.nn.Module, splits: Any, steps: int, seed: int) -> float:
    """Examples per second over `steps` steps, after one untimed step."""
    settings = copy.deepcopy(settings)
    settings.seed, settings.train.epochs = seed, steps * settings.train.batch_size / len(splits.train)
    loop = Trainer(copy.deepcopy(model).train(), splits, task_of(splits, settings), recipe_of(settings), CPU)
    rows = [rows for epoch in range(loop.plan.epochs) for rows in loop.plan.batches(epoch)][: steps + 1]
    loop.step(rows[0])
    begun = time.perf_counter()
    for batch in rows[1:]:
        loop.step(batch)
    return sum(map(len, rows[1:])) / (time.perf_counter() - begun)


@pytest.mark.parametrize("readout", HEADS)
def test_a_head_on_kept_states_trains_ten_times_as_fast(readout: str, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    tuned, head = composed("model=bert-mini"), composed("model=bertvision", f"model/readout={readout}")
    head.paths.cache = str(tmp_path)
    cache = Path(tuned.paths.cache).expanduser()
    splits = load_splits(tuned.data, tokenizer=tuned.model.tokenizer, vocab_size=tuned.model.vocab_size, cache=cache)
    prepare_arithmetic(tuned.engine, tuned.train.precision, CPU)
    sizes = {"num_labels": splits.task.num_labels, "vocab_size": splits.tokenizer.vocab_size}
    whole, small = (build(settings.model, **sizes)[0] for settings in (tuned, head))
    freeze(small, "encoder")
    begun = time.perf_counter()
    kept = attach_frozen_states(small, splits, head.cache, SharedCache(tmp_path), CPU)
    seconds = time.perf_counter() - begun
    rates: dict[str, list[float]] = {"fine-tuning": [], readout: []}
    for seed in range(ROUNDS):
        rates["fine-tuning"].append(rate(tuned, whole, splits, 20, seed))
        rates[readout].append(rate(head, small, kept, 60, seed))
    ratios = [fast / slow for fast, slow in zip(rates[readout], rates["fine-tuning"])]
    medians = {name: float(np.median(found)) for name, found in rates.items()}
    assert kept.train.frozen_states is not None
    size = kept.train.frozen_states.values.nbytes
    rows = len(splits.train) + len(splits.select)
    Console(highlight=False, width=150).print(
        f"\n{readout} on bert-mini, {len(splits.train):,} texts: {medians[readout]:,.0f} examples/s from a cache of "
        f"{size / 1e6:,.0f} MB, fine-tuning {medians['fine-tuning']:,.0f}: {spread(ratios)} x, wanted {WANTED:g}\n"
        f"  filling it: {rows / seconds:,.0f} examples/s, once"
    )
    assert np.median(ratios) >= WANTED
