"""The networks of two views, and a last layer that takes two linear maps in."""

from __future__ import annotations

import torch
from torch import nn

from models.views.code_encoder import Ancestors
from models.views.two_views import CodeReader, TextEncoder, TwoViews, fold_map
from tests.models.helpers import batch, small

CODES = {
    "paths": torch.tensor([0, 1, 0, 2, 0]), "path_offsets": torch.tensor([0, 2, 4, 5, 5, 5]),
    "codes": torch.tensor([3, 4, 5]), "code_offsets": torch.tensor([0, 1, 2, 3, 3, 3]),
}  # fmt: skip


def test_both_views_lie_side_by_side_and_a_reader_answers_for_each_row() -> None:
    network = small(family="dsn", readout={"name": "mean"})
    views = TwoViews(TextEncoder(network, 8), Ancestors(6, 5), 5)
    found = views(**CODES, **batch(5))
    assert found.shape == (5, 8 + 5) and views.width == 13
    assert CodeReader(views, 13, 3)(**CODES, **batch(5)).shape == (5, 3)


def test_vectors_that_are_narrow_enough_are_not_mapped() -> None:
    network = small(family="dsn", readout={"name": "mean"})
    encoder = TextEncoder(network, 64)
    assert encoder.map is None and encoder.width == 32
    inputs = batch(4)
    torch.testing.assert_close(encoder(**inputs), network.encode(**inputs))


def test_two_maps_fold_into_a_last_layer() -> None:
    torch.manual_seed(0)
    first, second, head = nn.Linear(7, 5, bias=False), nn.Linear(5, 3), nn.Linear(7, 2)
    weights, bias, vectors = torch.randn(2, 3, dtype=torch.float64), torch.randn(2), torch.randn(4, 7)
    fold_map(head, first, second, weights, bias)
    wanted = second(first(vectors)) @ weights.float().T + bias
    torch.testing.assert_close(head(vectors), wanted)
    fold_map(last := nn.Linear(5, 2), None, second, weights, bias)
    torch.testing.assert_close(last(first(vectors)), wanted)
