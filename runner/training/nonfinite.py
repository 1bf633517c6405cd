"""A batch whose loss or gradient is not finite ends the run or is skipped; in both cases its rows are recorded.

It is found before the optimizer's step, so no weight is affected and every checkpoint stays valid.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from data.batch import Batch
from data.json_types import JsonObject
from data.splits import Splits
from runner.record.folder import NOT_FINITE
from runner.record.json_files import read_json, write_json
from runner.schema import TrainSettings
from runner.training.inference import items_of_rows
from runner.training.state import TrainingState

# Batches that a training may skip: FEW, or SHARE of its steps if that is more, but never more than half. Broken texts
# are few; if the weights or the learning rate are to blame, every batch fails.
FEW, SHARE = 10, 0.01


class NotFinite(RuntimeError):
    """A loss or gradient is not a finite number; the message says where, what helps, and where the rows are."""


@dataclass(frozen=True)
class SkippedBatch:
    """A batch that changed no weight, because its loss or gradient is not finite."""

    rows: np.ndarray  # (B,) of the training split
    loss: float  # mean over its rows
    norm: float  # of the gradient
    broken: list[bool]  # (B,): does the row itself have logits that are not finite? empty for masked words

    @classmethod
    def of(cls, rows: np.ndarray, loss: Tensor, norm: Tensor, outputs: list[tuple[Batch, Any]]) -> SkippedBatch:
        """loss: summed over the rows; outputs: for each part, logits (items, C) or word scores at masked positions."""
        is_plain = all(isinstance(found, torch.Tensor) for _, found in outputs)
        broken = [is_broken for part in outputs for is_broken in _broken_rows(*part)] if is_plain else []
        return cls(rows, float(loss) / len(rows), float(norm), broken)


def _broken_rows(batch: Batch, logits: Tensor) -> list[bool]:
    """Return whether any of the logits (items, C) of each row of a batch is not finite."""
    rows = np.repeat(np.arange(len(batch.rows)), items_of_rows(batch))
    wrong = rows[(~logits.isfinite().all(1)).cpu().numpy()]
    return np.isin(np.arange(len(batch.rows)), wrong).tolist()


class BatchNormStatistics:
    """The running statistics of batch norms, which change in the forward pass and not in the optimizer's step."""

    def __init__(self, model: nn.Module) -> None:
        norms = [module for module in model.modules() if isinstance(module, _BatchNorm)]
        self.buffers = [buffer for module in norms for buffer in module.buffers()]
        self.before: list[Tensor] = []

    def remember(self) -> None:
        """Store the current statistics."""
        self.before = [buffer.clone() for buffer in self.buffers]

    def restore(self) -> None:
        """Restore the statistics stored by `remember`."""
        for buffer, value in zip(self.buffers, self.before):
            buffer.copy_(value)


class NonFiniteGuard:
    """Records the skipped batches of one training, and ends it if train.on_nonfinite or their number requires it."""

    def __init__(
        self, settings: TrainSettings, lr: float, splits: Splits, folder: Path, training: str, total: int
    ) -> None:
        """lr: the peak rate; folder: the run's; training: which of the run's trainings this is; total: its steps."""
        self.settings, self.lr, self.splits, self.total = settings, lr, splits, total
        self.path, self.training = folder / NOT_FINITE, training

    def observe(self, batch: SkippedBatch, state: TrainingState) -> None:
        """Record the rows of the batch that the last step skipped; raises NotFinite where training must end."""
        self._record(batch, state)
        where = f"step {state.step} (epoch {state.epoch + 1})"
        kept = f"{len(batch.rows)} rows are in {self.path.parent.name}/{self.path.name}, the peak rate was {self.lr:g}"
        cures = [f"optimizer.lr={self.lr / 3:.1e}"]
        cures += ["train.precision=fp32"] if self.settings.precision != "fp32" else []
        if self.settings.on_nonfinite == "stop":
            is_loss = not math.isfinite(batch.loss)
            what = f"training loss is {batch.loss}" if is_loss else f"norm of the gradient is {batch.norm}"
            cures.append("train.on_nonfinite=skip")
            raise NotFinite(f"the {what} at {where}; the batch's {kept}. Try: {', or '.join(cures)}")
        if state.left_out > min(max(FEW, SHARE * self.total), self.total / 2):
            raise NotFinite(
                f"{state.left_out} of the first {state.step} batches had a loss or gradient that is not finite, "
                f"too many to be a few bad texts, the last at {where}; its {kept}. Try: {', or '.join(cures)}"
            )

    def _record(self, batch: SkippedBatch, state: TrainingState) -> None:
        """Record a batch; a resumed run may meet it a second time, and then replaces its entry."""
        found = read_json(self.path) or {"batches": []}
        entry = {
            "training": self.training,
            "step": state.step,
            "epoch": state.epoch + 1,
            "loss": str(batch.loss),  # text, because JSON cannot represent NaN or infinity
            "gradient_norm": str(batch.norm),
            "rows": [self._row(place, int(row), batch.broken) for place, row in enumerate(batch.rows)],
        }
        others = [e for e in found["batches"] if (e["training"], e["step"]) != (self.training, state.step)]
        write_json(self.path, {"batches": [*others, entry]})

    def _row(self, place: int, row: int, broken: list[bool]) -> JsonObject:
        train = self.splits.train
        tokens = train.tokens[train.offsets[row] : train.offsets[row + 1]]
        found: JsonObject = {"row": row, "text": self.splits.tokenizer.decode(tokens.tolist())}
        return found | ({"answer_is_finite": not broken[place]} if broken else {})
