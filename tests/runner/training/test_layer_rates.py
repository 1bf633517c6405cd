"""Layer-wise learning rates: which multiple each parameter has, and the updates that come of it."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from data.splits import Splits
from models.build import build
from models.errors import ModelError
from models.heads.base import HeadSpec
from models.settings import ModelSettings
from runner.experiment.recipe import recipe_of
from runner.schema import Settings
from runner.tasks.make import task_of
from runner.training.layer_rates import layer_rates
from runner.training.trainer import Trainer
from tests.runner.training.test_loop import CPU

MULTIPLES = {
    "embeddings": 0.5**3,
    "layer.0.": 0.5**2,
    "layer.1.": 0.5,
    "layer.2.": 1.0,
    "pooler": 1.0,
    "classifier": 1.0,
}


def network() -> nn.Module:
    torch.manual_seed(0)
    return build(ModelSettings(layers=3, hidden=16, heads=2, dropout=0.0), head=HeadSpec(outputs=2), vocab_size=300)[0]


def test_a_layer_has_the_rate_of_the_layer_above_times_the_decay() -> None:
    model = network()
    rates = layer_rates(model, 0.5)
    for name, parameter in model.named_parameters():
        wanted = next(multiple for part, multiple in MULTIPLES.items() if part in name)
        assert rates.get(parameter, 1.0) == wanted, name


def test_a_decay_of_one_changes_nothing() -> None:
    assert layer_rates(network(), 1.0) == {}


def test_layers_that_share_their_weights_are_refused() -> None:
    model = network()
    shared = model.bert.encoder
    shared.layer = nn.ModuleList([shared.layer[0]])
    model.bert.state_shape = lambda: (16, 3)
    with pytest.raises(ModelError, match="share theirs"):
        layer_rates(model, 0.5)


@pytest.mark.parametrize("compact", ["auto", "never"])
def test_each_step_is_adamws_at_the_rate_of_the_layer(splits: Splits, compact: str) -> None:
    settings = Settings(model=ModelSettings(layers=3, hidden=16, heads=2, dropout=0.0))
    settings.optimizer.lr, settings.optimizer.layer_decay, settings.optimizer.weight_decay = 1e-2, 0.5, 0.1
    settings.train.batch_size, settings.train.clip_norm, settings.engine.compact_vocabulary = 8, 0.0, compact
    settings.optimizer.eps = 1e-20  # of gradients near zero, too, the first step has the length of the rate
    trainer = Trainer(network(), splits, task_of(splits, settings), recipe_of(settings), CPU)
    before = {name: value.clone() for name, value in trainer.weights().items()}
    trainer.state.step = 1  # past the first step of the warm-up, whose rate is 0
    trainer.step(trainer.plan.batches(0)[0])
    trainer.optimizer.apply_pending_decay()
    rate, after = trainer.schedule.rate(1), trainer.weights()
    for name in before.keys() - {f"bert.encoder.layer.{i}.attention.self.key.bias" for i in range(3)}:  # no gradient
        multiple = next(multiple for part, multiple in MULTIPLES.items() if part in name)
        decay = 0.1 if before[name].ndim > 1 else 0.0
        moved = after[name] - before[name] * (1 - rate * multiple * decay)
        assert moved.abs().max() == pytest.approx(rate * multiple, rel=2e-2), name
