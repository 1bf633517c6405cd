"""A stage and a training hook that override nothing change nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import nn

from models.compression.stage import Stage, StageContext, TrainingHook, zero_unless_finite
from tests.models.helpers import batch, small


def test_a_batch_whose_loss_is_not_finite_adds_nothing_to_logged_means() -> None:
    assert torch.equal(zero_unless_finite(torch.tensor([1.0, 2.0])), torch.tensor([1.0, 2.0]))
    for bad in (torch.nan, torch.inf):
        assert not zero_unless_finite(torch.tensor([1.0, bad])).any()


def test_a_hook_that_overrides_nothing_trains_plainly() -> None:
    hook, model, rows = TrainingHook(), small(), np.arange(5)
    logits = hook.forward(model.eval(), batch(), rows)
    assert torch.equal(logits, model(**batch()))
    loss = torch.tensor(0.5)
    assert hook.loss(loss, logits, {}, rows) is loss
    assert hook.may_keep() and hook.facts() == {} and hook.state() == {}
    assert hook.extra is None and hook.settled is None


def test_a_stage_is_known_by_its_name_in_the_chain_else_by_its_method() -> None:
    options: Any = SimpleNamespace(method="magnitude")
    assert Stage(options).name == "magnitude" and Stage(options, "first").name == "first"


def test_a_stage_without_a_run_cannot_compress() -> None:
    stage = Stage(SimpleNamespace(method="none"))
    stage.check(nn.Module())
    assert stage.identity_contents(nn.Module()) == {}
    with pytest.raises(NotImplementedError):
        stage.run(nn.Module(), cast(StageContext, None))
