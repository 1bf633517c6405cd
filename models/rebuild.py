"""From an architecture (config.json) back to the network, with random weights for a checkpoint to replace."""

from __future__ import annotations

from typing import Any

from models.architecture import BERT_DEFAULTS, with_sizes
from models.backbones.bag_of_words import build_dsn
from models.backbones.bert import build_bert
from models.backbones.transformers_backbone import wrap_encoder
from models.compression.methods import restore_stages
from models.embeddings.base import Tokens
from models.heads.target_scale import TARGETS, attach_target_scale
from models.network import SequenceClassifier
from models.settings import ModelSettings, full_part


def rebuild(architecture: dict[str, Any], num_labels: int, tokens: Tokens | None = None) -> SequenceClassifier:
    """The model of an architecture (config.json), with the structure that compression gave it and random weights."""
    model = restore_stages(_rebuild(architecture, num_labels, tokens), architecture)
    if TARGETS in architecture:
        attach_target_scale(model, architecture[TARGETS])
    return model


def _rebuild(architecture: dict[str, Any], num_labels: int, tokens: Tokens | None) -> SequenceClassifier:
    readout = full_part(architecture["readout"])
    if "backbone" in architecture:
        dropout = architecture["hidden_dropout_prob"]
        return wrap_encoder(architecture["backbone"], readout, num_labels, dropout)
    config = BERT_DEFAULTS | architecture
    settings = with_sizes(ModelSettings(), config)
    settings.dropout = config["hidden_dropout_prob"]
    settings.attention_dropout = config["attention_probs_dropout_prob"]
    settings.readout, settings.embedding = readout, full_part(config.get("embedding", "table"))
    settings.norm = config.get("norm", "layer")
    vocab_size, pad_id = config["vocab_size"], config["pad_token_id"]
    if settings.layers:
        return build_bert(settings, num_labels, vocab_size, pad_id, tokens)
    settings.family = "dsn"
    model, _ = build_dsn(settings, num_labels=num_labels, vocab_size=vocab_size, pad_id=pad_id, tokens=tokens)
    return model
