"""Rebuilds a network from its architecture (config.json), with random weights for a checkpoint to replace."""

from __future__ import annotations

from models.architecture import BERT_DEFAULTS, with_sizes
from models.backbones.bag_of_words import build_bag_of_words
from models.backbones.base import Backbone
from models.backbones.bert import build_bert
from models.backbones.bilstm import SHAPE, build_bilstm, settings_of_shape
from models.backbones.cnn import rebuild_cnn
from models.backbones.ngram import rebuild_bag_of_ngrams
from models.backbones.transformers_backbone import wrap_encoder
from models.compression.methods import restore_stages
from models.embeddings.base import Tokens
from models.heads.added_ngrams import ADDED, attach_ngrams
from models.heads.attach import attach_head
from models.heads.base import HeadSpec
from models.heads.linear import LinearHead
from models.heads.target_scale import TARGETS, attach_target_scale
from models.json_types import JsonObject
from models.settings import CNN, ModelSettings, full_part


def rebuild(architecture: JsonObject, head: HeadSpec, tokens: Tokens | None = None) -> LinearHead:
    """Build the model of an architecture (config.json), including its compressed structure, with random weights."""
    model = restore_stages(attach_head(*_backbone(architecture, tokens), head), architecture)
    if TARGETS in architecture:
        attach_target_scale(model, architecture[TARGETS])
    if ADDED in architecture:
        attach_ngrams(model, architecture[ADDED])
    return model


def _backbone(architecture: JsonObject, tokens: Tokens | None) -> tuple[Backbone, JsonObject]:
    """Build a new backbone for an architecture; return it with its part of config.json."""
    if "ngram" in architecture:
        return rebuild_bag_of_ngrams(architecture)
    if CNN in architecture:
        return rebuild_cnn(architecture)
    readout = full_part(architecture["readout"])
    if "backbone" in architecture:
        dropout = architecture["hidden_dropout_prob"]
        return wrap_encoder(architecture["backbone"], readout, dropout)
    config = BERT_DEFAULTS | architecture
    settings = with_sizes(ModelSettings(), config)
    settings.dropout = config["hidden_dropout_prob"]
    settings.attention_dropout = config["attention_probs_dropout_prob"]
    settings.readout, settings.embedding = readout, full_part(config.get("embedding", "table"))
    settings.norm = config.get("norm", "layer")
    settings.positional = config.get("positional", True)
    settings.family = "bert" if settings.layers else "dsn"
    if SHAPE in config:
        settings = settings_of_shape(settings, config[SHAPE])
        return build_bilstm(settings, vocab_size=config["vocab_size"], pad_id=config["pad_token_id"], tokens=tokens)
    make = build_bert if settings.layers else build_bag_of_words
    return make(settings, vocab_size=config["vocab_size"], pad_id=config["pad_token_id"], tokens=tokens)
