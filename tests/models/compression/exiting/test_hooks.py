"""Trainings with exits: which losses are due, and PABEE's weights."""

from __future__ import annotations

from typing import Any, cast

import pytest
import torch

from models.compression.exiting.hooks import ExitsHook, weighted_mean
from models.compression.settings.exits import Exits as Options
from tests.models.compression.exiting.exit_context import LAYERS, ExitContext, with_exits


def test_the_loss_of_an_exit_weighs_as_much_as_its_layer() -> None:
    losses = [torch.tensor(value, dtype=torch.float64) for value in (0.9, 0.6, 0.5, 0.45)]
    assert float(weighted_mean(losses, [1, 2, 3, 4])) == pytest.approx(0.54)


@pytest.mark.parametrize(("form", "due"), [("alternate", [False, True, False, True]), ("weighted", [True] * 4)])
def test_exits_learn_in_the_steps_of_their_form(form: str, due: list[bool]) -> None:
    context = ExitContext(64)
    model, exits = with_exits(Options())
    hook = ExitsHook(model, exits, Options(form=form), cast(Any, context), LAYERS)
    inputs, targets, rows = next(context.batches())
    for step, is_due in enumerate(due):
        hook.before_step(step)
        output = hook.forward(model, inputs, rows)
        plain = context.task.loss(output, targets)
        model.zero_grad()
        hook.loss(plain, output, targets, rows).backward()
        assert [layer.weight.grad is not None for layer in exits.classifiers] == [is_due] * len(exits.classifiers)
        assert torch.allclose(output, model(**inputs), atol=1e-6)
    assert hook.facts()["exits/loss"] > 0 and hook.facts() == {}
