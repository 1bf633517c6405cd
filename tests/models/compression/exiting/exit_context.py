"""Rows whose class is told by one of their tokens, for a small encoder with random weights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from models.compression.settings.exits import Exits as Options
from models.compression.stage import Inputs, Targets
from models.heads.exits import Exits, attach_exits
from runner.experiment.stage_statistics import StageStatistics
from tests.models.compression.task_views import Classes
from tests.models.helpers import small

LAYERS, CLASSES = 4, 3


class ExitContext:
    """A StageContext of `count` rows a split; labels are right for all but every tenth row."""

    def __init__(self, count: int = 240) -> None:
        self.count, self.seed, self.lr = count, 0, 1e-3
        self.device, self.task, self.statistics = torch.device("cpu"), Classes(), StageStatistics()
        self.asked = set[str]()  # splits whose rows were read
        self.facts: dict[str, float] = {}
        self.said: list[str] = []
        self.trained: list[dict[str, Any]] = []

    def batches(
        self, *, rows: int | None = None, batch_size: int = 32, split: str = "train", seed: int | None = None
    ) -> Iterator[tuple[Inputs, Targets, np.ndarray]]:
        self.asked.add(split)
        ids, labels = drawn(self.count, seed=0 if split == "train" else 1)
        for places in torch.arange(min(rows or self.count, self.count)).split(batch_size):
            yield {"input_ids": ids[places]}, {"labels": labels[places]}, places.numpy()

    def train(self, model: Any, hook: Any, **changes: Any) -> None:
        self.trained.append(changes)
        model.train()
        optimizer = torch.optim.Adam(model.parameters(), lr=changes["lr"])
        for step, (inputs, targets, rows) in enumerate(self.batches()):
            hook.before_step(step)
            output = hook.forward(model, inputs, rows)
            loss = hook.loss(self.task.loss(output, targets), output, targets, rows)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    def add_metrics(self, values: dict[str, float]) -> None:
        self.facts |= values

    def say(self, text: str) -> None:
        self.said.append(text)


def drawn(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Ids (count, 6) and classes (count,), which the third token tells in nine of ten rows."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(10, 90, (count, 6), generator=generator)
    labels = torch.randint(0, CLASSES, (count,), generator=generator)
    ids[:, 2] = 1 + torch.where(torch.arange(count) % 10 == 0, (labels + 1) % CLASSES, labels)
    return ids, labels


def encoder(**changes: Any) -> Any:
    """The model without exits."""
    return small(layers=LAYERS, num_labels=CLASSES, **({"readout": {"name": "mean"}} | changes))


def with_exits(options: Options, **changes: Any) -> tuple[Any, Exits]:
    """The model with exits after all its layers but the last."""
    model = encoder(**changes)
    return model, attach_exits(model, range(1, LAYERS), rule=options.rule)  # type: ignore[arg-type]
