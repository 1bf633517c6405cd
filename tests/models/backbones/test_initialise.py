"""First weights as BERT draws them."""

from __future__ import annotations

import torch
from torch import nn

from models.backbones.initialise import init_weights
from models.embeddings.base import WordVectors


class TwoTables(WordVectors):
    def __init__(self) -> None:
        super().__init__()
        self.usual, self.own = nn.Embedding(500, 40), nn.Embedding(500, 40)

    def own_spreads(self) -> dict[nn.Module, float]:
        return {self.own: 0.5}


def test_matrices_and_tables_are_normal_and_biases_and_padding_zero() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Embedding(500, 40, padding_idx=0), nn.Linear(40, 300), nn.LayerNorm(300))
    init_weights(model, 0.02)
    assert abs(model[0].weight[1:].std().item() - 0.02) < 0.001 and abs(model[1].weight.std().item() - 0.02) < 0.001
    assert not model[0].weight[0].any() and not model[1].bias.any()
    assert (model[2].weight == 1).all()


def test_word_vectors_may_ask_for_a_spread_of_their_own() -> None:
    torch.manual_seed(0)
    words = TwoTables()
    init_weights(nn.Sequential(words), 0.02)
    assert abs(words.usual.weight.std().item() - 0.02) < 0.001 and abs(words.own.weight.std().item() - 0.5) < 0.02
