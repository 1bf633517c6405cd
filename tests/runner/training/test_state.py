"""The parts of a checkpoint: where training stands, the best weights, the random generators."""

from __future__ import annotations

import json
from dataclasses import asdict

import torch
from torch import nn

from models.backbones.dropout import dropout_generator
from runner.training.state import BestWeights, RandomState, TrainingState


def test_a_state_survives_the_json_of_a_checkpoint() -> None:
    state = TrainingState(
        epoch=2, step=40, best_metric=0.5, best_loss=0.3, schedule={"scale": 0.5, "best": 0.5, "stale": 1}
    )
    assert TrainingState(**json.loads(json.dumps(asdict(state)))) == state


def test_patience_counts_epochs_without_a_better_metric() -> None:
    assert not TrainingState(stale=9).is_over(None)
    assert not TrainingState(stale=1).is_over(2) and TrainingState(stale=2).is_over(2)


def observed(best: BestWeights, metrics: list[float], losses: list[float] | None = None) -> TrainingState:
    """The state after epochs with these metrics and losses; the weights of an epoch are its number."""
    state = TrainingState()
    for metric, loss in zip(metrics, losses or [1.0] * len(metrics), strict=True):
        best.observe(metric, state, lambda: {"weight": torch.full((1, 1), float(state.epoch))}, loss)
        state.epoch += 1
    return state


def test_the_first_of_equally_good_epochs_is_the_best() -> None:
    best, model = BestWeights(is_kept=True, direction="higher"), nn.Linear(1, 1, bias=False)
    state = observed(best, [0.5, 0.7, 0.7, 0.6])
    assert (state.best_epoch, state.best_metric, state.stale) == (2, 0.7, 2)
    best.put_into(model)
    assert model.weight.item() == 1.0


def test_while_every_score_is_0_the_epoch_with_the_lowest_loss_is_the_best() -> None:
    best, model = BestWeights(is_kept=True, direction="higher"), nn.Linear(1, 1, bias=False)
    state = observed(best, [0.0, 0.0, 0.0], [0.9, 0.5, 0.7])
    assert (state.best_epoch, state.best_metric, state.stale) == (2, 0.0, 1), "patience counts from the best epoch"
    best.put_into(model)
    assert model.weight.item() == 1.0
    assert observed(BestWeights(is_kept=True, direction="higher"), [0.0, 0.2, 0.2], [0.9, 0.5, 0.4]).best_epoch == 2
    assert observed(BestWeights(is_kept=True, direction="lower"), [0.0, 0.0], [0.9, 0.5]).best_epoch == 1


def test_a_metric_that_falls_is_better_where_lower_is() -> None:
    assert observed(BestWeights(is_kept=True, direction="lower"), [0.5, 0.7, 0.3]).best_epoch == 3


def test_without_keeping_the_best_epoch_is_known_and_its_weights_are_not() -> None:
    best, model = BestWeights(is_kept=False, direction="higher"), nn.Linear(1, 1, bias=False)
    before = model.weight.clone()
    assert observed(best, [0.5, 0.7]).best_epoch == 2 and best.state() == {}
    best.put_into(model)
    assert torch.equal(model.weight, before)


def test_random_numbers_go_on_where_they_were() -> None:
    random, drawn = RandomState(), nn.Dropout(0.5)
    torch.manual_seed(0)
    dropout_generator.seed(0)
    kept = random.state()
    expected = drawn(torch.ones(64))
    torch.randn(3)
    dropout_generator.seed(5)
    random.load(kept)
    assert torch.equal(random.state()["masks"], kept["masks"])
    assert torch.equal(drawn(torch.ones(64)), expected)
