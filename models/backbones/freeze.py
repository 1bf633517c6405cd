"""Freezes parts of a model, so that training does not change them."""

from __future__ import annotations

from models.network import Network


def freeze(model: Network, what: str) -> None:
    """Freeze parts of a model. embeddings: the tables and their norm; encoder: everything below the readout.

    A frozen encoder has no active dropout: its states are the same in every epoch.
    """
    if what == "none":
        return
    parts = model.bert.embedding_parts() if what == "embeddings" else model.bert.encoder_parts()
    for part in parts:
        part.requires_grad_(False)
    if what == "encoder":
        model.frozen = parts


def is_frozen(model: Network) -> bool:
    """Is everything below the readout frozen, without modules of the readout in it, so that states can be cached?"""
    return bool(model.frozen) and not model.bert.pooler.hooks()
