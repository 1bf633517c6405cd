"""The engines to compare, each in its own process, so that settings of one cannot affect another.

A process loads its data once, and starts every block from the same initial weights.
"""

from __future__ import annotations

import copy
import os
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

TITLES = {
    "a": "Trainer, padded to the maximum (run_glue's default)",
    "b": "Trainer, dynamic padding, grouped by length, tuned",
    "b*": "(b) on the very batches of (c)",
    "c": "Bertier",
    "mlm": "Trainer with DataCollatorForLanguageModeling, on the blocks of (c)",
}


@dataclass
class Block:
    """Result of one engine in one block: speed, losses, and floating-point operations."""

    examples_per_s: float
    losses: np.ndarray  # one per step
    flops: float = 0.0  # per step, of matrix products; only with `count`


@dataclass
class Work:
    """A training run to time: the overrides of a `run` command, and the length that (a) pads to."""

    words: tuple[str, ...]
    pad_to: int


class Process:
    """One engine in a process that is reused for all its blocks."""

    def __init__(self, engine: str, work: Work, threads: int = 1) -> None:
        self.engine = engine
        names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")
        os.environ.update(dict.fromkeys(names, str(threads)))  # inherited by the process, before it imports torch
        self.pool = ProcessPoolExecutor(1, get_context("spawn"), _prepare, (engine, work, threads))

    def run(self, steps: int, seed: int, count: bool = False) -> Block:
        """Train `steps` steps from the initial weights; count: only count ours' floating-point operations."""
        return self.pool.submit(_run, steps, seed, count).result()

    def close(self) -> None:
        """End the process."""
        self.pool.shutdown()


_state: dict[str, Any] = {}  # in the engine's process


def _prepare(engine: str, work: Work, threads: int) -> None:
    import torch

    from data.load import load_splits
    from runner.config.compose import compose
    from runner.config.resolve import resolve
    from runner.experiment.initial_model import build_first_model
    from runner.machine.matmul import prepare_arithmetic

    torch.set_num_threads(threads)
    settings = resolve(compose(list(work.words)))
    cache = Path(settings.paths.cache).expanduser()
    splits = load_splits(
        settings.data, tokenizer=settings.model.tokenizer, vocab_size=settings.model.vocab_size, cache=cache,
        task=settings.task,
    )  # fmt: skip
    torch.manual_seed(0)
    model, _ = build_first_model(settings, splits)
    if engine == "c":
        prepare_arithmetic(settings.engine, settings.train.precision, torch.device("cpu"))
    _state.update(engine=engine, work=work, settings=settings, splits=splits, model=model)


def _run(steps: int, seed: int, count: bool) -> Block:
    return _ours(steps, seed, count) if _state["engine"] == "c" else _trainer(steps, seed)


def _loop(steps: int, seed: int) -> tuple[Any, list[np.ndarray]]:
    """Our trainer with the initial weights, and the row indices of its first `steps` steps."""
    import torch

    from runner.experiment.recipe import recipe_of
    from runner.tasks.make import task_of
    from runner.training.trainer import Trainer

    settings, splits = copy.deepcopy(_state["settings"]), _state["splits"]
    settings.seed = seed
    settings.train.epochs = steps * settings.train.batch_size / len(splits.train)
    model, task = copy.deepcopy(_state["model"]).train(), task_of(splits, settings)
    loop = Trainer(model, splits, task, recipe_of(settings), torch.device("cpu"))
    return loop, [rows for epoch in range(loop.plan.epochs) for rows in loop.plan.batches(epoch)][:steps]


def _trainer(steps: int, seed: int) -> Block:
    from tests.benchmarks.rivals import Rows, masker, stock, train

    settings, splits, pad_to = _state["settings"], _state["splits"], _state["work"].pad_to
    rows = _state.setdefault("rows", Rows(splits.train))
    order = np.concatenate(_loop(steps, seed)[1]).tolist() if _state["engine"] in ("b*", "mlm") else None
    with tempfile.TemporaryDirectory() as folder:
        seconds, losses = train(
            stock(_state["model"]), rows, settings, Path(folder),
            steps=steps, length=pad_to if _state["engine"] == "a" else None, seed=seed, order=order,
            collator=masker(_state["splits"].tokenizer) if _state["engine"] == "mlm" else None,
        )  # fmt: skip
    return Block(settings.train.batch_size / float(seconds.mean()), losses)


def _ours(steps: int, seed: int, count: bool) -> Block:
    from torch.utils.flop_counter import FlopCounterMode

    from models.backbones.dropout import dropout_generator

    dropout_generator.seed(seed)
    loop, batches = _loop(steps, seed)
    if count:
        with FlopCounterMode(display=False) as counter:
            for rows in batches:
                loop.step(rows)
        return Block(0.0, np.zeros(0), counter.get_total_flops() / len(batches))
    seconds, losses = [], []
    for rows in batches:
        begun = time.perf_counter()
        loop.step(rows)
        seconds.append(time.perf_counter() - begun)
        losses.append(loop.loss_sum.item() / len(rows))
        loop.loss_sum.zero_()
    return Block(loop.recipe.train.batch_size / float(np.mean(seconds[1:])), np.array(losses))
