"""Encoders of the codes of a row, which are nodes of a tree: by the nodes above them, or by a convolution of the tree.

Both take the same arguments: those of a row of `data.codes.CodePaths`, end to end with offsets as `nn.EmbeddingBag`
has them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.views.settings import TREE_CONVOLUTION, ViewSettings

# As Kong et al. 2023 (arXiv 2301.11608) have them in their code.
NODE_WIDTH = 100  # of a node's vector
STATE_WIDTH = 32  # of a node's state in the layers of the convolution
LAYERS = 3  # of the convolution
HIDDEN = 64  # of the hidden layer on top

# Ours, of first vectors. With torch's 1 a node that no labelled row has is noise: 500 labels of icd10-severity give an
# AUROC of 0.77 by ancestors and of 0.58 by the convolution; with this 0.83 and 0.70.
NODE_SPREAD = 0.02


class Ancestors(nn.Module):
    """The mean of learned vectors of the nodes above a row's codes, through a hidden layer.

    The codes themselves have no vectors, so that a code of no training row is as well known as the nodes above it.
    """

    def __init__(self, num_nodes: int, width: int) -> None:
        super().__init__()
        self.nodes = nn.EmbeddingBag(num_nodes, NODE_WIDTH, mode="mean", include_last_offset=True)
        nn.init.normal_(self.nodes.weight, std=NODE_SPREAD)
        self.mix = _hidden_layer(NODE_WIDTH, width)

    def forward(self, paths: Tensor, path_offsets: Tensor, codes: Tensor, code_offsets: Tensor) -> Tensor:
        """Return (B, width) vectors of rows.

        paths: (n,) int64 nodes above the codes of all rows, and path_offsets: (B + 1,) int64, where each row begins;
        codes, code_offsets: likewise the codes themselves, which are not looked at.
        """
        vectors: Tensor = self.mix(self.nodes(paths, path_offsets))
        return vectors


class TreeConvolution(nn.Module):
    """Learned vectors of all nodes, mixed along the edges of the tree in three layers; a row is the sum of its codes.

    A layer is h' = A (W1 h) + W2 h with A = D^-1/2 (tree + I) D^-1/2 (Kipf and Welling 2017, arXiv 1609.02907), a
    sparse matrix. On one thread the result is the same to the bit.
    """

    adjacency: Tensor

    def __init__(self, num_nodes: int, width: int, edges: Tensor) -> None:
        """edges: (2, E) int64, a node and the one above it."""
        super().__init__()
        self.nodes = nn.Embedding(num_nodes, NODE_WIDTH)
        nn.init.normal_(self.nodes.weight, std=NODE_SPREAD)
        widths = [NODE_WIDTH, *[STATE_WIDTH] * (LAYERS - 1)]
        self.neighbours = nn.ModuleList(nn.Linear(each, STATE_WIDTH, bias=False) for each in widths)
        self.own = nn.ModuleList(nn.Linear(each, STATE_WIDTH) for each in widths)
        self.mix = _hidden_layer(STATE_WIDTH, width)
        self.register_buffer("adjacency", normalised_adjacency(edges, num_nodes), persistent=False)

    def forward(self, paths: Tensor, path_offsets: Tensor, codes: Tensor, code_offsets: Tensor) -> Tensor:
        """Return (B, width) vectors of rows; the arguments are those of `Ancestors`, of which it reads the codes."""
        states = self.nodes.weight
        for neighbours, own in zip(self.neighbours, self.own):
            states = torch.relu(torch.sparse.mm(self.adjacency, neighbours(states)) + own(states))
        sums = nn.functional.embedding_bag(codes, states, code_offsets, mode="sum", include_last_offset=True)
        vectors: Tensor = self.mix(sums)
        return vectors


def make_code_encoder(view: ViewSettings, num_nodes: int, edges: Tensor) -> Ancestors | TreeConvolution:
    """Make the code encoder that the settings name; edges: (2, E) int64, a node and the one above it."""
    if view.encoder == TREE_CONVOLUTION:
        return TreeConvolution(num_nodes, view.width, edges)
    return Ancestors(num_nodes, view.width)


def normalised_adjacency(edges: Tensor, num_nodes: int) -> Tensor:
    """Return D^-1/2 (tree + I) D^-1/2 as a sparse matrix, (num_nodes, num_nodes) float32; both ways of an edge."""
    loops = torch.arange(num_nodes).repeat(2, 1)
    places = torch.cat([edges, edges.flip(0), loops], dim=1)
    root_degrees = torch.bincount(places[0], minlength=num_nodes).sqrt()
    values = 1 / (root_degrees[places[0]] * root_degrees[places[1]])
    return torch.sparse_coo_tensor(places, values, (num_nodes, num_nodes), check_invariants=True).coalesce()


def _hidden_layer(width: int, output: int) -> nn.Sequential:
    """Return a layer from `width` to `output` with one in between."""
    return nn.Sequential(nn.Linear(width, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, output))
