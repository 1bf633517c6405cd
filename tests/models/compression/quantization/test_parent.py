"""The unrounded model as a teacher: its answers and its states."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest
import torch

from models.compression.distillation.internals import run_with_internals
from models.compression.distillation.losses import soft_divergence
from models.compression.quantization.parent import Parent, check_states
from models.compression.settings.quantization import WeightOnly as Options
from models.compression.stage import StageContext
from models.errors import ModelError
from tests.models.compression.quantization.test_aware import Training
from tests.models.helpers import BI_ENCODER, batch, small


def test_the_loss_is_the_parents_answers_and_states_and_the_labels() -> None:
    model, context = small(), Training()
    parent = Parent(model, Options(qat_soft=0.25, qat_states=2.0), cast(StageContext, context))
    with torch.no_grad():
        model.classifier.bias += torch.tensor([1.0, 0.0, -1.0])
        model.bert.encoder.layer[-1].output.LayerNorm.bias += 0.5  # type: ignore[union-attr, index, operator]
    model.eval()
    output = parent.forward(model, batch(12), np.arange(12))
    before = [state.clone() for state in run_with_internals(parent.network, batch(12)).states]
    after, mask = run_with_internals(model, batch(12)).states, batch(12)["attention_mask"].unsqueeze(-1)
    shares = [((b - a).square() * mask).sum() / (a.square() * mask).sum() for a, b in zip(before[1:], after[1:])]
    labels = torch.tensor(0.7)
    soft = soft_divergence(output, parent.network(**batch(12)), 1.0)
    expected = 0.75 * labels + 0.25 * soft + 2.0 * torch.stack(shares).mean()
    torch.testing.assert_close(parent.loss(labels, output, {}), expected)
    assert float(soft.detach()) > 0.01 and float(shares[-1].detach()) > 0.01


def test_states_of_a_model_without_layers_are_refused() -> None:
    model = small(family="dsn", readout={"name": "mean"})
    with pytest.raises(ModelError, match="qat_states=0"):
        check_states(model, Options(qat=True, qat_states=1.0), "compact")
    check_states(model, Options(qat=True), "compact")


def test_states_of_a_bi_encoder_are_refused_but_its_answers_are_learned() -> None:
    model = small(readout=BI_ENCODER)
    with pytest.raises(ModelError, match=r"bi-encoder.*Try: compression\.compact\.qat_states=0"):
        check_states(model, Options(qat=True, qat_states=1.0), "compact")
    check_states(model, Options(qat=True, qat_soft=0.5), "compact")
    check_states(model, Options(qat_states=1.0), "compact")
