"""Encoders of codes: by the nodes above them, and by a convolution of the tree, against dense arithmetic."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from models.views.code_encoder import Ancestors, TreeConvolution, make_code_encoder, normalised_adjacency
from models.views.settings import ANCESTORS, TREE_CONVOLUTION, ViewSettings

# Nodes 1 and 2 below the root 0, the codes 3 below 1 and 4, 5 below 2; rows with the codes 3 and 4, none, and 5.
EDGES = torch.tensor([[1, 2, 3, 4, 5], [0, 0, 1, 2, 2]])
ROWS = {
    "paths": torch.tensor([1, 0, 2, 0, 2, 0]), "path_offsets": torch.tensor([0, 4, 4, 6]),
    "codes": torch.tensor([3, 4, 5]), "code_offsets": torch.tensor([0, 2, 2, 3]),
}  # fmt: skip


def encoder(name: str) -> torch.nn.Module:
    torch.manual_seed(0)
    return make_code_encoder(ViewSettings(encoder=name, width=8), 6, EDGES)


def dense_adjacency() -> Tensor:
    matrix = torch.eye(6)
    for below, above in EDGES.mT.tolist():
        matrix[below, above] = matrix[above, below] = 1
    roots = matrix.sum(0).rsqrt()
    return roots[:, None] * matrix * roots


def test_ancestors_are_the_mean_of_the_nodes_above_without_the_codes_themselves() -> None:
    model = encoder(ANCESTORS)
    assert isinstance(model, Ancestors)
    found, table = model(**ROWS), model.nodes.weight
    means = torch.stack([table[[1, 0, 2, 0]].mean(0), torch.zeros_like(table[0]), table[[2, 0]].mean(0)])
    torch.testing.assert_close(found, model.mix(means))
    found.sum().backward()
    assert table.grad is not None and not table.grad[3:].any() and table.grad[:3].any()


def test_the_sparse_adjacency_is_the_dense_one() -> None:
    torch.testing.assert_close(normalised_adjacency(EDGES, 6).to_dense(), dense_adjacency())


def test_the_convolution_equals_dense_arithmetic_in_values_and_gradients() -> None:
    model = encoder(TREE_CONVOLUTION)
    assert isinstance(model, TreeConvolution)
    states = model.nodes.weight
    for neighbours, own in zip(model.neighbours, model.own):
        states = torch.relu(dense_adjacency() @ neighbours(states) + own(states))
    expected = model.mix(torch.stack([states[3] + states[4], torch.zeros_like(states[0]), states[5]]))
    found = model(**ROWS)
    torch.testing.assert_close(found, expected)
    weight = model.nodes.weight
    torch.testing.assert_close(
        *(torch.autograd.grad(one.square().sum(), weight, retain_graph=True)[0] for one in (found, expected))
    )


@pytest.mark.parametrize("name", [ANCESTORS, TREE_CONVOLUTION])
def test_the_same_seed_gives_the_same_numbers_to_the_bit(name: str) -> None:
    def trained() -> Tensor:
        model = encoder(name)
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        for _ in range(3):
            optimizer.zero_grad()
            model(**ROWS).square().sum().backward()
            optimizer.step()
        found: Tensor = model(**ROWS).detach()
        return found

    assert torch.equal(trained(), trained())


def test_the_tree_is_no_part_of_what_is_saved() -> None:
    saved = encoder(TREE_CONVOLUTION).state_dict()
    assert "nodes.weight" in saved and not any("adjacency" in name for name in saved)
