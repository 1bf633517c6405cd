"""Parts of a model that training leaves alone."""

from __future__ import annotations

from typing import Any

from torch import nn

from models.network import SequenceClassifier
from models.readouts.base import inline_of

CHOICES = ("none", "embeddings", "encoder")


def freeze(model: SequenceClassifier, what: str) -> None:
    """none; embeddings: the tables and their norm; encoder: everything below the readout, which then predicts only.

    A frozen encoder drops nothing out: its states are the same in every epoch.
    """
    parts = [part for part in _parts(model.bert, what) if isinstance(part, nn.Module)]
    for part in parts:
        part.requires_grad_(False)
    if what == "encoder":
        model.frozen = parts


def _parts(bert: nn.Module, what: str) -> list[nn.Module | None]:
    if what == "none":
        return []
    if what == "embeddings":
        return [*embeddings_of(bert)]
    if backbone := getattr(bert, "backbone", None):
        return [backbone]
    return [bert.get_submodule("embeddings"), getattr(bert, "encoder", None)]


def embeddings_of(bert: nn.Module) -> list[nn.Module]:
    """What makes vectors of tokens; not all encoders of transformers call it embeddings."""
    backbone: Any = getattr(bert, "backbone", bert)
    return [backbone.embeddings if hasattr(backbone, "embeddings") else backbone.get_input_embeddings()]


def is_frozen(model: nn.Module) -> bool:
    """Is everything below the readout frozen and free of its modules, so that its states can be kept?"""
    return bool(getattr(model, "frozen", None)) and inline_of(model.get_submodule("bert.pooler")) is None
