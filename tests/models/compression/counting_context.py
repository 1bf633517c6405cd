"""A stage context whose clock counts weights, and a small ZipLM run in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from models.compression.settings.pruning import Search, Target
from models.compression.settings.pruning import Ziplm as Options
from models.compression.stage import Inputs, Targets
from models.compression.structured.layer_widths import widths
from models.compression.structured.recovery import RecoveryHook
from models.compression.ziplm import Ziplm
from tests.models.compression.task_views import Classes
from tests.models.helpers import batch, placed, small

ROWS = 64


class CountingContext:
    """A StageContext whose models take a millisecond for each 1,000 weights of their layers and one for all else."""

    seed, device, task = 0, torch.device("cpu"), Classes()

    def __init__(self, cache: Path) -> None:
        self.cache = cache
        self.machine = {"cpu": "of a test"}
        self.timed: list[str] = []
        self.facts: dict[str, float] = {}
        self.told: dict[str, str] = {}
        self.phases: list[tuple[str, list[list[int]], dict[str, Any]]] = []
        self.boundary: tuple[dict[str, Tensor], dict[str, Any]] | None = None
        self.stop_after = 99

    def times(self, models: Mapping[str, nn.Module], **shape: Any) -> dict[str, list[float]]:
        self.timed += models
        return {name: [self.cost(model)] * 3 for name, model in models.items()}

    @staticmethod
    def cost(model: nn.Module) -> float:
        weights = [p.numel() for name, p in model.named_parameters() if "layer." in name and p.ndim == 2]
        return 1.0 + sum(weights) / 1000

    def batches(self, *, rows: int | None = None, **choice: Any) -> Iterator[tuple[Inputs, Targets, Any]]:
        for start in range(0, rows or ROWS, 16):
            numbers = np.arange(start, start + 16)
            yield self.training_inputs(numbers, {}), {"labels": torch.from_numpy(numbers % 3)}, numbers

    def training_inputs(self, rows: np.ndarray, given: Inputs) -> dict[str, Tensor]:
        return batch(len(rows), 20, seed=int(rows[0]))

    def train(self, model: Any, hook: RecoveryHook, *, phase: str, **changes: Any) -> None:
        self.phases.append((phase, widths(model), changes))
        if len(self.phases) > self.stop_after:
            raise KeyboardInterrupt
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
        hook.begin(model, 10)
        self.losses = []
        for _ in range(10):
            rows = np.arange(16)
            logits = hook.forward(model, self.training_inputs(rows, {}), rows)
            loss = hook.loss(logits.sum() * 0, logits, {}, rows)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            self.losses.append(float(loss.detach()))
        hook.end(model)

    def add_metrics(self, values: dict[str, float]) -> None:
        self.facts |= values

    def say(self, text: str) -> None:
        pass

    def record_fact(self, name: str, value: str) -> None:
        self.told[name] = value

    def locked(self, path: Path) -> Any:
        path.parent.mkdir(parents=True, exist_ok=True)
        return nullcontext()

    def save_progress(self, model: nn.Module, state: dict[str, Any]) -> None:
        self.boundary = ({name: tensor.clone() for name, tensor in model.state_dict().items()}, state)

    def load_progress(self) -> Any:
        return self.boundary


class TokenContext(CountingContext):
    """Rows with labels for some of their tokens."""

    def training_inputs(self, rows: np.ndarray, given: Inputs) -> dict[str, Tensor]:
        return placed(super().training_inputs(rows, given))

    def batches(self, **choice: Any) -> Iterator[tuple[Inputs, Targets, Any]]:
        for inputs, _, rows in super().batches(**choice):
            yield inputs, {"labels": torch.arange(len(inputs["places"])) % 3}, rows


class NoisyContext(CountingContext):
    """Times that other work on the machine makes up to three times as long, never twice the same."""

    noise = np.random.default_rng()

    def times(self, models: Mapping[str, nn.Module], **shape: Any) -> dict[str, list[float]]:
        found = super().times(models, **shape)
        return {name: [time * self.noise.uniform(1, 3) for time in times] for name, times in found.items()}


def model() -> Any:
    return small(layers=3, initializer_range=0.2)


def options(speedup: float = 1.8, **changes: Any) -> Options:
    given: dict[str, Any] = {"calibration_rows": ROWS, "round_to": 1, "search": Search(steps=3, rows=32)}
    return Options(**(given | {"target": Target(speedup)} | changes))


def run(chosen: Options, context: Any, start: Any = None) -> Any:
    return Ziplm(chosen).run(start or model(), context)
