"""A model's predictions for one split, and their scores."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch
from torch import nn

from data.batch import Batch, collate
from data.sampler import eval_batches
from data.splits import Arrays, TokenSplit
from runner.machine.allocator import MemoryGuard
from runner.machine.exclusive import Exclusive
from runner.tasks.base import Task


def autocast(device: torch.device, precision: str) -> AbstractContextManager[object]:
    """Return a context that runs matrix products in bf16 if `precision` is bf16, and does nothing otherwise."""
    return torch.autocast(device.type, dtype=torch.bfloat16) if precision == "bf16" else nullcontext()


def to_tensors(batch: Batch, device: torch.device) -> dict[str, torch.Tensor]:
    """Return the batch's inputs on the device, as arguments of the model's forward; stored states are unpacked."""
    found = _on_device(batch.inputs, device)
    if "states" in found:
        found["states"] = unpack_states(found["states"])
    return found


def targets_to_tensors(batch: Batch, device: torch.device) -> dict[str, torch.Tensor]:
    """Return the batch's targets on the device, as arguments of the task's loss."""
    return _on_device(batch.targets, device)


def _on_device(arrays: Arrays, device: torch.device) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(array).to(device, non_blocking=True) for name, array in arrays.items()}


def unpack_states(states: torch.Tensor) -> torch.Tensor:
    """Convert stored states (B, T, layers, H) to (layers, B, T, H) float32 for the model; int16 holds bf16 bits."""
    if states.dtype == torch.int16:
        states = states.view(torch.bfloat16)
    ordered = states.permute(2, 0, 1, 3)
    return torch.empty(ordered.shape, device=states.device).copy_(ordered)  # type and order in one pass


@torch.inference_mode()
def predict(
    model: nn.Module,
    split: TokenSplit,
    *,
    batch_size: int,
    device: torch.device,
    precision: str,
    lookup: np.ndarray | None = None,
    exclusive: Exclusive | None = None,
    task: Task | None = None,
    shortest: float = 0.0,
) -> np.ndarray:
    """Return the outputs of all items in the order of the rows, (items, C) float32.

    The model's training or evaluation mode is restored afterwards.

    task: decides what is kept of an output, for example sums over blocks for masked words; None: the output itself.
    lookup: as in data/batch.py, while training has the word table rearranged.
    shortest: a batch ends before a row that is shorter than this share of its longest row.
    exclusive: lets the run pause between batches while another run is being timed.
    """
    was_training = model.training
    if any(module.training for module in model.modules()):  # setting the mode takes longer than a DSN's forward pass
        model.eval()
    kept: list[torch.Tensor] = []
    counts: list[np.ndarray] = []
    guard_memory = MemoryGuard()
    batches = eval_batches(split.lengths, batch_size=batch_size, shortest=shortest)
    precision = "fp32" if task is not None and task.evaluates_in_fp32 else precision
    for rows in batches:
        if exclusive:
            exclusive.yield_to_timing()
        with autocast(device, precision):
            batch = collate(split, rows, lookup=lookup)
            found = model(**to_tensors(batch, device))
        kept.append(found.float() if task is None else task.keep(found, batch))
        counts.append(items_of_rows(batch, is_by_row=task is not None and task.keeps_rows))
        guard_memory()
    if was_training:
        model.train()
    joined = torch.cat(kept).cpu().numpy()
    if len(split) == 1:
        return joined
    return joined[np.argsort(np.repeat(np.concatenate(batches), np.concatenate(counts)), kind="stable")]


def items_of_rows(batch: Batch, *, is_by_row: bool = False) -> np.ndarray:
    """Return how many outputs each row of a batch has, (B,): one, or the number of its positions with an output.

    is_by_row: one output is kept per row, however many positions it has.
    """
    places = batch.inputs.get("places")
    if places is None or is_by_row:
        return np.ones(len(batch.rows), np.int64)
    return np.bincount(places // batch.inputs["input_ids"].shape[1], minlength=len(batch.rows))


def score(task: Task, split: TokenSplit, kept: np.ndarray, more: Sequence[str] = ()) -> dict[str, float]:
    """Return the scores of a split as `<split>/<metric>`: the task's, those always scored, `more`, and the loss.

    kept: the result of `predict` for the split, (items, K).
    """
    names = list(dict.fromkeys((*task.metrics, *task.always_scored, *more)))
    values = task.evaluate(task.answers(kept, split), names)
    values["loss"] = task.evaluated_loss(kept, split)
    return {f"{split.name}/{name}": value for name, value in values.items()}


def score_selection(task: Task, split: TokenSplit, kept: np.ndarray) -> dict[str, float]:
    """Return the scores of the selection split, after the task has fitted to its outputs what it needs to fit."""
    return score(task.fitted(kept, split), split, kept)
