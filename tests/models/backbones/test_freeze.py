"""Frozen parts get no gradient, never change, and use no dropout."""

from __future__ import annotations

import torch

from models.backbones.freeze import freeze
from models.backbones.transformers_backbone import wrap_encoder
from models.heads.attach import attach_head
from models.heads.base import HeadSpec
from tests.models.helpers import batch, small

READOUT = {"name": "layer_pool", "weights": "learned", "pool": "cls"}


def test_a_frozen_encoder_leaves_only_the_head_to_train() -> None:
    model = small(readout=READOUT, freeze="encoder")
    model(**batch()).sum().backward()
    trained = {name for name, p in model.named_parameters() if p.grad is not None}
    assert trained == {"bert.pooler.mix.weight", "bert.pooler.mix.gamma", "classifier.weight", "classifier.bias"}


def test_a_frozen_encoder_has_the_same_states_in_training_mode() -> None:
    model = small(readout=READOUT, freeze="encoder", dropout=0.5)
    expected = model(**batch())
    assert torch.equal(model.train()(**batch()), expected) and model.classifier.training
    assert not torch.equal(small(readout={"name": "mean"}, dropout=0.5).train()(**batch()), expected)


def test_frozen_embeddings_leave_the_layers_to_train() -> None:
    model = small(freeze="embeddings")
    assert not any(p.requires_grad for p in model.bert.embeddings.parameters())
    assert all(p.requires_grad for p in model.bert.encoder.parameters())


def test_another_librarys_encoder_is_frozen_as_well() -> None:
    shape = {"vocab_size": 90, "dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 48}
    model = attach_head(*wrap_encoder({"model_type": "distilbert", **shape}, READOUT, 0.1), HeadSpec(outputs=2))
    freeze(model, "encoder")
    inputs = {name: value for name, value in batch().items() if name != "token_type_ids"}
    expected = model.eval()(**inputs)
    assert torch.equal(model.train()(**inputs), expected)
    assert not any(p.requires_grad for p in model.bert.backbone.parameters())  # type: ignore[union-attr]
