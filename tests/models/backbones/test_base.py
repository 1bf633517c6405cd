"""The interface that every backbone has."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from models.backbones.base import Backbone
from models.backbones.transformers_backbone import wrap_encoder
from models.heads.attach import attach_head
from models.heads.base import HeadSpec
from tests.models.helpers import small

SHAPE = {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 48, "vocab_size": 90, "max_position_embeddings": 64}


def of_another_library() -> Any:
    return attach_head(*wrap_encoder({"model_type": "distilbert", **SHAPE}, {"name": "mean"}, 0.1), HeadSpec(outputs=3))


MADE = {
    "ours": small,
    "a bag of words": lambda: small(family="dsn", readout={"name": "mean"}),
    "another library": of_another_library,
}


@pytest.mark.parametrize("make", MADE.values(), ids=MADE)
def test_every_backbone_names_its_parts_and_its_shape(make: Any) -> None:
    bert = make().bert
    assert isinstance(bert, Backbone) and bert.state_shape()[0] == 32
    words = bert.word_vectors()
    assert words.weight.shape == (90, 32)
    for parts in (bert.embedding_parts(), bert.encoder_parts()):
        assert any(words is module for part in parts for module in part.modules())


@pytest.mark.parametrize("make", MADE.values(), ids=MADE)
def test_the_weights_of_a_head_are_drawn_around_0(make: Any) -> None:
    model = make()
    with torch.no_grad():
        model.classifier.bias.fill_(1.0)
    model.bert.draw_weights(model, model.architecture)
    assert model.classifier.bias.abs().max() == 0 and 0.01 < model.classifier.weight.std() < 0.03
