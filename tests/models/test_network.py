"""Shared by all networks: frozen parts, the longest input, states in place of ids."""

from __future__ import annotations

import pytest
import torch

from models.backbones.freeze import freeze
from models.backbones.hooks import Recorder
from tests.models.helpers import batch, small


def test_a_frozen_part_stays_in_prediction_mode() -> None:
    model = small(dropout=0.5)
    freeze(model, "encoder")
    model.train()
    assert model.training and model.dropout.training and not model.bert.encoder.training
    assert torch.equal(model.bert(**batch()), model.bert(**batch()))


@pytest.mark.parametrize(
    ("positions", "longest", "expected"), [(64, None, 64), (64, 20, 20), (None, 20, 20), (None, None, None)]
)
def test_the_longest_input_is_the_smaller_limit(
    positions: int | None, longest: int | None, expected: int | None
) -> None:
    model = small()
    model.architecture["max_position_embeddings"], model.bert.pooler.longest = positions, longest
    assert model.longest_input() == expected


def test_kept_states_take_the_place_of_ids() -> None:
    model, inputs = small(readout={"name": "mean"}), batch()
    recorder = Recorder()
    model.bert(**inputs, hooks=[recorder])
    states = recorder.states
    assert len(states) == model.bert.state_shape()[1] + 1
    found = model(states=torch.stack(states[-1:]), attention_mask=inputs["attention_mask"])
    torch.testing.assert_close(found, model(**inputs))
