"""Cut encoders lose less than by deletion."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from models.compression.structured.blocks import ATTENTION
from models.compression.structured.input_moments import collect_moments
from models.compression.structured.layer_widths import Sublayer, widths
from models.compression.structured.surgery import Surgery
from tests.models.compression.counting_context import CountingContext, model
from tests.models.helpers import batch


@pytest.fixture
def context(tmp_path: Path) -> CountingContext:
    return CountingContext(tmp_path)


def test_every_sublayer_loses_less_than_by_deletion_and_a_bias_takes_up_the_mean(context: CountingContext) -> None:
    dense = model()
    surgery = Surgery(dense, (inputs for inputs, _, _ in context.batches()))
    sizes = [3, 20, 1, 5, 0, 0]
    for refitted, deleted in surgery.errors(sizes):
        assert refitted < deleted
    cut = surgery.cut(sizes)
    assert widths(cut) == [[3, 20], [1, 5], [0, 0]] and widths(dense) == [[4, 48]] * 3
    plan, moments = surgery.plans[Sublayer(0, ATTENTION)], collect_moments(dense, (i for i, _, _ in context.batches()))
    _, weight, bias = plan.after(0)
    mean = moments[Sublayer(0, ATTENTION)].mean()
    torch.testing.assert_close(bias.double(), plan.bias + plan.weight.double() @ mean, atol=1e-6, rtol=0)
    assert weight.shape == (32, 0)


def test_training_one_cut_leaves_the_dense_model_and_the_next_cut_alone(context: CountingContext) -> None:
    dense = model()
    surgery, inputs = Surgery(dense, (inputs for inputs, _, _ in context.batches())), batch()
    before, sizes = dense(**inputs), [4, 48, 2, 0, 4, 20]
    first = surgery.cut(sizes)
    wanted = first(**inputs)
    with torch.no_grad():
        for parameter in first.parameters():
            parameter.add_(1.0)
    torch.testing.assert_close(surgery.cut(sizes)(**inputs), wanted)
    torch.testing.assert_close(dense(**inputs), before)
