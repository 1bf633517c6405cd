"""A StageContext of plain tensors: inputs `x`, Adam, no files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.compression.stage import Inputs, Phase, Targets, TaskView
from tests.models.compression.task_views import Classes

Rows = tuple[Tensor, Tensor]  # inputs (N, m) and labels (N,)


class Head(nn.Module):
    """Nothing but a linear classifier."""

    def __init__(self, width: int, labels: int = 2) -> None:
        super().__init__()
        self.classifier = nn.Linear(width, labels)
        self.architecture: dict[str, Any] = {}

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.classifier(x)
        return logits


@dataclass
class TensorContext:
    """Scores by accuracy on `select`; `killed_in` raises KeyboardInterrupt at the begin of that phase."""

    rows: Rows
    select: Rows
    seed: int = 0
    lr: float = 1e-2
    batch_size: int = 100
    task: TaskView = field(default_factory=Classes)
    killed_in: str = ""
    worth: int | None = None  # phases whose scores count: later ones get 0
    said: list[str] = field(default_factory=list)
    points: list[dict[str, float]] = field(default_factory=list)
    facts: dict[str, float] = field(default_factory=dict)
    boundary: tuple[dict[str, Tensor], dict[str, Any]] | None = None
    trained: list[dict[str, Any]] = field(default_factory=list)  # the changes of each phase

    def train(self, model: nn.Module, hook: Any = None, *, phase: str, **changes: Any) -> Phase:
        if phase == self.killed_in:
            raise KeyboardInterrupt
        torch.manual_seed(self.seed)
        self.trained.append(changes)
        moments, best, metric = changes.get("moments") or {}, {}, -1.0
        optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=changes["lr"], fused=True)
        names = {p: name for name, p in model.named_parameters() if p.requires_grad}
        for p, name in names.items():
            if f"{name}/step" in moments:
                keys = ("step", "exp_avg", "exp_avg_sq")
                optimizer.state[p] = {key: moments[f"{name}/{key}"].clone() for key in keys}
        x, y = self.rows
        for _ in range(int(changes["epochs"])):
            for places in torch.randperm(len(x)).split(self.batch_size):
                optimizer.zero_grad()
                F.cross_entropy(model(x[places]), y[places]).backward()
                optimizer.step()
            if (score := self.score(model)) > metric:
                metric, best = score, {name: t.clone() for name, t in model.state_dict().items()}
        model.load_state_dict(best)
        state = {f"{names[p]}/{key}": t.clone() for p, s in optimizer.state.items() for key, t in s.items()}
        return Phase(metric, len(x), int(changes["epochs"]), 0.0, state)

    def score(self, model: nn.Module) -> float:
        if self.worth is not None and len(self.trained) > self.worth:
            return 0.0
        with torch.no_grad():
            return float((model(self.select[0]).argmax(1) == self.select[1]).float().mean())

    def batches(
        self, *, rows: int | None = None, batch_size: int = 32, split: str = "train", seed: int | None = None
    ) -> Iterator[tuple[Inputs, Targets, np.ndarray]]:
        x, y = self.rows if split == "train" else self.select
        for places in torch.arange(min(rows or len(x), len(x))).split(batch_size):
            yield {"x": x[places]}, {"labels": y[places]}, places.numpy()

    def log_point(self, values: dict[str, float]) -> None:
        self.points.append(values)

    def add_metrics(self, values: dict[str, float]) -> None:
        self.facts |= values

    def say(self, text: str) -> None:
        self.said.append(text)

    def save_progress(self, model: nn.Module, state: dict[str, Any], tensors: dict[str, Tensor] | None = None) -> None:
        held = {name: t.clone() for name, t in (model.state_dict() | (tensors or {})).items()}
        self.boundary = held, state

    def load_progress(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        return self.boundary


def parity(seed: int) -> tuple[Rows, Rows, Rows]:
    """x1 x2 + x3 x4 > 0, which no linear layer learns: 3,000 rows to train on, 1,000 to select, 1,000 to test."""
    x = torch.randn(5000, 8, generator=torch.Generator().manual_seed(seed))
    y = (x[:, 0] * x[:, 1] + x[:, 2] * x[:, 3] > 0).long()
    return (x[:3000], y[:3000]), (x[3000:4000], y[3000:4000]), (x[4000:], y[4000:])


def small(seed: int = 0, **more: Any) -> TensorContext:
    train, select, _ = parity(seed)
    return TensorContext((train[0][:600], train[1][:600]), (select[0][:200], select[1][:200]), seed=seed, **more)


def started(seed: int = 0) -> Head:
    torch.manual_seed(seed)
    return Head(8)
