"""A context for prunings: plain training steps on random texts, without a runner."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from models.backbones.dropout import dropout_generator
from models.compression.stage import Phase, TrainingHook
from tests.models.compression.task_views import Classes
from tests.models.helpers import batch


class SmallContext:
    """Trains with AdamW, scores at their own rate, and remembers the facts after every step."""

    device, task, seed = torch.device("cpu"), Classes(), 0

    def __init__(self, steps: int = 12, lr: float = 1e-3) -> None:
        self.steps, self.lr = steps, lr
        self.added: dict[str, float] = {}
        self.points: list[dict[str, float]] = []
        self.said: list[str] = []
        self.trained: dict[str, Any] = {}  # what a phase changed
        self.masked: dict[str, Tensor] = {}  # the state before the masks were folded

    def train(self, model: nn.Module, hook: TrainingHook | None = None, *, phase: str, **changes: Any) -> Phase:
        assert hook is not None
        self.trained = changes
        torch.manual_seed(0)
        dropout_generator.seed(0)
        hook.begin(model, self.steps)
        own = {id(p): m.own_lr for m in model.modules() if hasattr(m, "own_lr") for p in m.parameters(recurse=False)}
        trained = [p for p in model.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW([{"params": [p], "lr": own.get(id(p), self.lr)} for p in trained])
        for step in range(self.steps):
            model.train()
            hook.before_step(step)
            inputs, labels = batch(seed=step), torch.arange(5) % 3
            logits = hook.forward(model, inputs, labels.numpy())
            optimizer.zero_grad()
            hook.loss(cross_entropy(logits, labels), logits, {"labels": labels}, labels.numpy()).backward()
            optimizer.step()
            hook.after_step(step)
            self.points.append(hook.facts() | {"may_keep": float(hook.may_keep())})
        self.masked = {name: value.clone() for name, value in model.state_dict().items()}
        hook.end(model)
        return Phase(0.0, self.steps, 1, 0.0, {})

    def batches(self, **_: Any) -> Any:
        yield batch(seed=99), {}, torch.arange(5).numpy()

    def add_metrics(self, values: dict[str, float]) -> None:
        self.added |= values

    def say(self, text: str) -> None:
        self.said.append(text)
