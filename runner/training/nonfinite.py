"""A batch whose loss or gradient is not finite: the end of the run, or left out; in both cases its rows are kept.

It is found before the optimizer's step, so that no weight ever takes part in it: what a checkpoint holds is sound.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.record.raw import NOT_FINITE, read, write_json

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor, nn

    from data.splits import Splits
    from runner.schema import Settings
    from runner.training.state import TrainingState

# Batches of a training that may be left out: so many, or this share of its steps where that is more, but never more
# than half. Broken texts are few; where weights or learning rate are to blame every batch is.
FEW, SHARE = 10, 0.01


class NotFinite(RuntimeError):
    """A loss or gradient is not a finite number; the message says where, what helps, and where the rows are."""


@dataclass(frozen=True)
class SkippedBatch:
    """A batch that cannot be learned from."""

    rows: np.ndarray  # (B,) of the training split
    loss: float  # mean over its rows
    norm: float  # of the gradient
    broken: list[bool]  # (B,): are the row's own logits not finite? Empty where the answers are no logits

    @classmethod
    def of(cls, rows: np.ndarray, loss: Tensor, norm: Tensor, answers: list[Any]) -> SkippedBatch:
        """loss: summed over the rows; answers: logits (b, C) in the rows' order, or what a model of words gives."""
        import torch

        is_plain = all(isinstance(part, torch.Tensor) for part in answers)
        broken = [not is_sound for part in answers for is_sound in part.isfinite().all(1)] if is_plain else []
        return cls(rows, float(loss) / len(rows), float(norm), broken)


class Statistics:
    """The running statistics of batch norms, which a forward pass changes and no optimizer."""

    def __init__(self, model: nn.Module) -> None:
        from torch.nn.modules.batchnorm import _BatchNorm

        norms = [module for module in model.modules() if isinstance(module, _BatchNorm)]
        self.buffers = [buffer for module in norms for buffer in module.buffers()]
        self.before: list[Tensor] = []

    def remember(self) -> None:
        """Keep them as they are now."""
        self.before = [buffer.clone() for buffer in self.buffers]

    def restore(self) -> None:
        """Put them back as they were then."""
        for buffer, value in zip(self.buffers, self.before):
            buffer.copy_(value)


class Guard:
    """What one training does about such batches."""

    def __init__(self, settings: Settings, splits: Splits, folder: Path, training: str, total: int) -> None:
        """folder: the run's; training: which of the run's trainings this is; total: its steps."""
        self.settings, self.splits, self.total = settings, splits, total
        self.path, self.training = folder / NOT_FINITE, training

    def observe(self, batch: SkippedBatch, position: TrainingState) -> None:
        """Keep the rows of the batch that the step before `position` left out; NotFinite where this cannot go on."""
        self._keep(batch, position)
        where = f"step {position.step} (epoch {position.epoch + 1})"
        kept = f"{len(batch.rows)} rows are in {self.path.parent.name}/{self.path.name}"
        cures = [f"optimizer.lr={self.settings.optimizer.lr / 3:.1e}"]
        cures += ["train.precision=fp32"] if self.settings.train.precision != "fp32" else []
        if self.settings.train.on_nonfinite == "stop":
            is_loss = not math.isfinite(batch.loss)
            what = f"training loss is {batch.loss}" if is_loss else f"norm of the gradient is {batch.norm}"
            cures.append("train.on_nonfinite=skip")
            raise NotFinite(f"the {what} at {where}; the batch's {kept}. Try: {', or '.join(cures)}")
        if position.left_out > min(max(FEW, SHARE * self.total), self.total / 2):
            raise NotFinite(
                f"{position.left_out} of the first {position.step} batches had a loss or gradient that is not finite, "
                f"too many for a few bad texts, the last at {where}; its {kept}. Try: {', or '.join(cures)}"
            )

    def _keep(self, batch: SkippedBatch, position: TrainingState) -> None:
        """A run that goes on from a checkpoint comes here again: it replaces what it wrote the first time."""
        found = read(self.path.parent, NOT_FINITE) or {"batches": []}
        entry = {
            "training": self.training,
            "step": position.step,
            "epoch": position.epoch + 1,
            "loss": str(batch.loss),  # JSON has no word for it
            "gradient_norm": str(batch.norm),
            "rows": [self._row(place, int(row), batch.broken) for place, row in enumerate(batch.rows)],
        }
        others = [e for e in found["batches"] if (e["training"], e["step"]) != (self.training, position.step)]
        write_json(self.path, {"batches": [*others, entry]})

    def _row(self, place: int, row: int, broken: list[bool]) -> dict[str, Any]:
        train = self.splits.train
        tokens = train.tokens[train.offsets[row] : train.offsets[row + 1]]
        found: dict[str, Any] = {"row": row, "text": self.splits.tokenizer.decode(tokens.tolist())}
        return found | ({"answer_is_finite": not broken[place]} if broken else {})
