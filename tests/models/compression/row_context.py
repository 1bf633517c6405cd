"""A StageContext that offers batches of a small vocabulary and keeps what a stage says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from models.checkpoints.open import load_model
from models.compression.stage import Inputs, StageContext, Targets
from tests.models.checkpoints.test_save import write
from tests.models.helpers import batch


class Rows:
    """A few training rows of the `small` models; none if `count` is 0."""

    def __init__(self, count: int = 48) -> None:
        self.count, self.facts, self.said, self.seed = count, dict[str, float](), list[str](), 0
        self.device = torch.device("cpu")

    def batches(self, *, rows: int | None = None, **_: Any) -> Iterator[tuple[Inputs, Targets, np.ndarray]]:
        count = min(rows or self.count, self.count)
        for start in range(0, count, 16):
            yield batch(16, seed=start), {}, np.arange(start, start + 16)

    def add_metrics(self, values: dict[str, float]) -> None:
        self.facts |= values

    def say(self, text: str) -> None:
        self.said.append(text)


def applied(stage: Any, model: nn.Module, rows: Rows | None = None) -> tuple[Any, Rows]:
    """The model after a stage, and the context with what the stage added and said."""
    rows = rows or Rows()
    return stage.run(model, cast(StageContext, rows)), rows


def reopened(model: Any, folder: Path) -> Any:
    """The model as its saved folder gives it back."""
    write(model, folder)
    return load_model(folder)


@torch.no_grad()
def answers(model: nn.Module, **changes: Any) -> Tensor:
    """Logits of the batch that `batch` makes."""
    return cast(Tensor, model(**batch(**changes)))
