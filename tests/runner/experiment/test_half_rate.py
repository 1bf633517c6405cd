"""A training under SGD whose loss is not finite is made trying again at half the rate, and the record says so."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
from torch import nn

from runner.experiment.half_rate import fit_or_halve
from runner.schema import Settings
from runner.tasks.finite import NotFiniteOutputs
from runner.training.checkpoint import Checkpoints
from runner.training.nonfinite import NotFinite
from runner.training.recipe import TrainingRecipe
from tests.conftest import run_cli


@dataclass
class Context:
    """Trains by drawing numbers; a rate above `limit` breaks the weights and is not finite."""

    folder: Path
    limit: float
    settings: Settings = field(default_factory=Settings)
    said: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    drawn: list[float] = field(default_factory=list)
    forgotten: int = 0
    failure: type[Exception] = NotFinite

    def __post_init__(self) -> None:
        torch.manual_seed(0)
        self.model = nn.Linear(2, 2)
        self.prepared = SimpleNamespace(folder=self.folder, identity="0123456789", model=self.model)
        self.writer = SimpleNamespace(add_notes=self.notes.extend, forget_points=self.forget)

    def forget(self) -> None:
        self.forgotten += 1

    def say(self, line: str) -> None:
        self.said.append(line)

    def fit(self, model: nn.Linear, recipe: TrainingRecipe, checkpoints: Checkpoints, **_: Any) -> list[float]:
        self.rates.append(recipe.optimizer.lr)
        begun = model.weight.detach().clone()
        self.drawn.append(float(torch.rand(1)))
        checkpoints.save({"weight": model.weight}, {"step": 1})
        if recipe.optimizer.lr > self.limit:
            with torch.no_grad():
                model.weight.fill_(torch.nan)
            raise self.failure(f"not finite at {recipe.optimizer.lr:g}")
        return begun.flatten().tolist()


def made(context: Context, optimizer: str = "sgd", rate: float = 4.0) -> Any:
    settings = context.settings
    settings.optimizer.name, settings.optimizer.lr = optimizer, rate
    recipe = TrainingRecipe(settings.train, settings.optimizer, settings.schedule, settings.engine)
    return fit_or_halve(cast(Any, context), recipe, cast(Any, None), None)


@pytest.mark.parametrize("failure", [NotFinite, NotFiniteOutputs])  # in a step, or only in an evaluation
def test_the_second_training_begins_like_the_first_at_half_the_rate(failure: type[Exception], tmp_path: Path) -> None:
    context = Context(tmp_path, limit=3.0, failure=failure)
    first = context.model.weight.detach().clone().flatten().tolist()
    assert made(context) == first, "from the first weights"
    assert context.rates == [4.0, 2.0] and context.drawn[0] == context.drawn[1] and context.forgotten == 1
    assert context.notes == [
        "trained at a learning rate of 2, half of optimizer.lr=4, at which a loss, a gradient or an output "
        "was not finite"
    ]


def test_a_run_that_was_interrupted_goes_on_at_the_half_rate(tmp_path: Path) -> None:
    made(Context(tmp_path, limit=3.0))
    context = Context(tmp_path, limit=3.0)
    made(context)
    assert context.rates == [2.0] and context.forgotten == 0 and len(context.notes) == 1


def test_half_the_rate_is_tried_once_and_not_with_adamw(tmp_path: Path) -> None:
    context = Context(tmp_path / "sgd", limit=1.0)
    with pytest.raises(NotFinite, match="a learning rate of 4 failed, and so did half of it: not finite at 2"):
        made(context)
    with pytest.raises(NotFinite, match="and so did half of it"):
        made(Context(tmp_path / "outputs", limit=1.0, failure=NotFiniteOutputs))
    assert context.rates == [4.0, 2.0] and not context.notes
    context = Context(tmp_path / "adamw", limit=1.0)
    with pytest.raises(NotFinite, match=r"^not finite at 4"):
        made(context, "adamw")
    assert context.rates == [4.0] and not context.notes


def test_the_record_of_a_run_says_what_was_done(tmp_path: Path) -> None:
    words = [
        "data=demo", "data.max_rows=200", "model=dsn", "optimizer=sgd", "train.clip_norm=0", "train.epochs=2",
        "measure=off", "tracker=none",
    ]  # fmt: skip
    done = run_cli(*words, "optimizer.lr=10", cwd=tmp_path)
    assert done.returncode == 0 and "trying again at half the rate" in done.stdout.replace("\n", " ")
    (path,) = tmp_path.glob("outputs/*/record.json")
    record, points = json.loads(path.read_text()), path.with_name("metrics.jsonl").read_text().splitlines()
    steps = [json.loads(line)["step"] for line in points if "train/loss" in line]
    assert steps == sorted(set(steps)), "the points of the first training are dropped"
    assert any("half of optimizer.lr=10" in note for note in record["notes"])
