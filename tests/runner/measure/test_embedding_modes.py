"""Embeddings with modes: the model in each other mode, beside itself."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.embeddings.base import ComputedVectors
from runner.measure.embedding_modes import embedding_mode, models_in_other_modes


class Computed(ComputedVectors):
    """Vectors that are computed in one of three modes."""

    mode = "whole"

    def regenerable_bytes(self) -> dict[str, int]:
        return {"whole": 400, "rows": 40, "none": 0}

    def forward(self, ids: Tensor) -> Tensor:
        return torch.zeros(*ids.shape, 4)


def test_a_copy_is_made_for_each_other_mode_and_the_model_keeps_its_own() -> None:
    model = nn.Sequential(Computed(), nn.Linear(4, 2))
    others = models_in_other_modes(model)
    assert {name: embedding_mode(other) for name, other in others.items()} == {"rows": "rows", "none": "none"}
    assert embedding_mode(model) == "whole"
    weights = {id(parameter) for other in [model, *others.values()] for parameter in other.parameters()}
    assert len(weights) == 3 * 2, "the copies share no weight"


def test_a_model_without_modes_is_timed_once() -> None:
    model = nn.Sequential(nn.Embedding(4, 4))
    assert models_in_other_modes(model) == {} and embedding_mode(model) == ""
