"""Means and covariances of what output layers read."""

from __future__ import annotations

import torch
from torch import Tensor

from models.compression.structured.input_moments import collect_moments
from models.compression.structured.layer_widths import Sublayer
from tests.models.compression.counting_context import model
from tests.models.helpers import batch


def test_moments_are_those_of_the_real_tokens_that_are_read() -> None:
    dense, inputs, seen = model(), [batch(4, 12, seed=1), batch(3, 7, seed=2)], list[Tensor]()
    found = collect_moments(dense, inputs)
    dense.bert.encoder.layer[0].output.dense.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    for part in inputs:
        dense(**part)
    rows = torch.cat([states[part["attention_mask"].bool()] for states, part in zip(seen, inputs)]).double()
    moments = found[Sublayer(0, "ffn")]
    assert moments.tokens == len(rows)
    torch.testing.assert_close(moments.mean(), rows.mean(0), atol=1e-6, rtol=0)
    torch.testing.assert_close(moments.covariance(), rows.T.cov(correction=0), atol=1e-6, rtol=0)
    assert found[Sublayer(2, "ffn")].tokens == 7, "of the last layer only [CLS] is computed"
