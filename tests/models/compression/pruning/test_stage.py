"""The training of a pruning: the schedule of masks, frozen embeddings, what is logged and what is folded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from models.compression.magnitude import MagnitudeHook
from models.compression.pruning.masks import BinaryMask, choose_matrices
from models.compression.settings.pruning import Magnitude as Options
from tests.models.compression.pruning_context import SmallContext
from tests.models.helpers import small


def hook_of(model: Any, **options: Any) -> MagnitudeHook:
    chosen: Any = {"density": 0.25, "start": 0.2, "end": 0.6, "every": 2} | options
    context: Any = SmallContext()
    return MagnitudeHook(Options(**chosen), choose_matrices(model, None), context)


def density(hook: MagnitudeHook) -> float:
    kept = [mask.kept for mask in hook.masks.values()]
    return float(sum(mask.sum() for mask in kept)) / sum(mask.numel() for mask in kept)


def test_masks_follow_the_schedule_and_weights_may_be_kept_once_it_has_ended() -> None:
    model = small()
    hook = hook_of(model)
    hook.begin(model, 10)
    assert hook.settled == 6
    seen = []
    for step in range(10):
        seen.append((density(hook), hook.may_keep()))
        hook.after_step(step)
    densities, may_keep = zip(*seen)
    assert densities[:3] == (1.0, 1.0, 1.0) and list(densities) == sorted(densities, reverse=True)
    assert densities[6:] == pytest.approx([0.25] * 4, abs=1e-3)
    assert may_keep == (False,) * 6 + (True,) * 4


def test_embeddings_are_frozen_meanwhile_and_freed_afterwards() -> None:
    model = small()
    hook, words = hook_of(model), model.bert.embeddings.word_embeddings.weight
    hook.begin(model, 10)
    assert not words.requires_grad
    hook.end(model)
    assert words.requires_grad
    assert hook.context.added["prune/fold_error"] < 1e-5  # type: ignore[attr-defined]
    hook = hook_of(model, freeze_embeddings=False)
    hook.begin(model, 10)
    assert words.requires_grad


def test_facts_are_the_means_since_the_last_evaluation_and_the_places_that_flipped() -> None:
    model = small()
    hook = hook_of(model, start=0.0, end=0.0)
    hook.begin(model, 10)
    for loss in (1.0, 3.0):
        hook.loss(torch.tensor(loss), torch.zeros(1), {}, np.zeros(1))
    first = hook.facts()
    assert first["prune/loss_task"] == 2.0 and first["prune/target_density"] == 0.25
    assert first["prune/density_prunable"] == pytest.approx(0.25, abs=1e-3)
    assert first["prune/mask_flip_rate"] == pytest.approx(0.75, abs=1e-3)
    second = hook.facts()
    assert "prune/loss_task" not in second and second["prune/mask_flip_rate"] == 0.0


def test_a_resumed_hook_is_where_the_schedule_was() -> None:
    model, other = small(), small()
    hook, again = hook_of(model), hook_of(other)
    hook.begin(model, 10)
    for step in range(4):
        hook.after_step(step)
    again.begin(other, 10)
    again.load(hook.state())
    assert (again.step, again.value) == (hook.step, hook.value)
    assert all(isinstance(mask, BinaryMask) for mask in again.masks.values())
