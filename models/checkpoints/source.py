"""Checks the checkpoint that a model starts from by its config.json alone, before data or weights are read."""

from __future__ import annotations

import torch

from models import MODEL_TYPE
from models.architecture import BERT_DEFAULTS, SIZES, describe_kind, is_our_encoder, sizes_in_config
from models.backbones.stock_head import STOCK, check_stock, take_apart
from models.backbones.transformers_backbone import check_encoder, check_no_hooks, check_padding, parse_config
from models.checkpoints.cut import FROM_PADDING
from models.checkpoints.pooling import with_own_readout
from models.checkpoints.read import read_config
from models.checkpoints.static import is_static
from models.checkpoints.untrusted import is_native, malformed_as_model_error
from models.errors import ModelError
from models.json_types import JsonObject
from models.parts import make_readout
from models.readouts.base import Readout
from models.settings import PRETRAINED, ModelSettings


def check_source(settings: ModelSettings) -> JsonObject:
    """Read config.json of settings.pretrained; {} if no checkpoint is named. No weights are read.

    Raises ModelError for a checkpoint that no encoder can be built from.
    """
    source = settings.pretrained
    if not source and settings.family == "auto":
        raise ModelError(
            "model/backbone=auto needs an encoder: a hub id or a folder. "
            f"Try: run model=auto {PRETRAINED}=sentence-transformers/all-MiniLM-L6-v2"
        )
    if not source:
        return {}
    if settings.tokenizer == "train" and settings.embedding["name"] == "table":
        raise ModelError(
            f"model.tokenizer=train makes a new vocabulary, which the weights of {source} were not trained for. "
            f"Try: model.tokenizer={source}"
        )
    if is_static(source):
        raise ModelError(
            f"{PRETRAINED}={source}: is a table of static vectors, not an encoder. "
            f"Try: run model=static {PRETRAINED}={source}"
        )
    config = read_config(source)
    with malformed_as_model_error(f"{PRETRAINED}={source}"):
        config = _defaults(config["model_type"]) | config
        if settings.head == STOCK:
            check_stock(config, source)
        if not is_our_encoder(config):
            _check_foreign(settings, config)
        _check_shape(config, source)
    with_own_readout(settings, config)
    return config


def _defaults(model_type: str) -> JsonObject:
    """The defaults for keys of BERT_DEFAULTS that a config.json leaves out: BERT's, or the model family's own."""
    if model_type in ("bert", MODEL_TYPE) or not is_native(model_type):
        return BERT_DEFAULTS
    own = parse_config({"model_type": model_type}).to_dict()
    return BERT_DEFAULTS | {key: own[key] for key in BERT_DEFAULTS if own.get(key) is not None}


def _check_shape(config: JsonObject, source: str) -> None:
    """Raise ModelError for an encoder without layers, heads that do not divide its width, or positions that cannot be
    counted.
    """
    is_ours = is_our_encoder(config) and config.keys() >= {*SIZES.values()}  # missing keys are reported later
    layers = sizes_in_config(config)["layers"] if is_ours else parse_config(config).num_hidden_layers
    if layers < 1:
        raise ModelError(f"{PRETRAINED}={source}: config.json says num_hidden_layers={layers}. Get a fresh copy of it")
    hidden, heads = (sizes_in_config(config)[name] for name in ("hidden", "heads")) if is_ours else (1, 1)
    if heads < 1 or hidden % heads:
        raise ModelError(
            f"{PRETRAINED}={source}: config.json says hidden_size={hidden} and num_attention_heads={heads}, which does "
            "not divide it. Get a fresh copy of it"
        )
    if config["model_type"] in FROM_PADDING and config.get("pad_token_id", 1) is None:
        raise ModelError(
            f"{PRETRAINED}={source}: a {config['model_type']} counts its positions from pad_token_id, which its "
            "config.json does not name. Try: a copy with the tokenizer's pad_token_id in its config.json"
        )


def _check_foreign(settings: ModelSettings, config: JsonObject) -> None:
    """Raise ModelError unless model=auto can wrap the encoder of this config, which our own code cannot compute."""
    source = settings.pretrained
    if settings.family == "bert":
        raise ModelError(
            f"{PRETRAINED}={source}: is a {describe_kind(config)}, not a BERT like model={settings.name}. "
            f"Try: run model=auto {PRETRAINED}={source}"
        )
    check_encoder(config)
    check_padding(config)
    if settings.embedding["name"] != "table":
        raise ModelError(
            f"model/embedding={settings.embedding['name']} takes the place of the word table of our own encoder, but "
            f"{PRETRAINED}={source} is a {config['model_type']}. Try: model/embedding=table, or {PRETRAINED}=<a BERT>"
        )


def check_readout(settings: ModelSettings) -> tuple[Readout, int, int]:
    """The readout, on torch's meta device, and its backbone's width and layers; ModelError if they do not fit."""
    hidden, layers, config = settings.hidden, settings.layers, check_source(settings)
    settings, _ = with_own_readout(settings, config)
    is_foreign = bool(config) and not is_our_encoder(config)
    if is_foreign:
        known = parse_config(config)
        hidden, layers = known.hidden_size, known.num_hidden_layers
    elif settings.family == "auto":
        hidden, layers = int(config["hidden_size"]), int(config["num_hidden_layers"])
    if settings.head == STOCK:
        with torch.device("meta"):
            return take_apart(parse_config(config), "text")[1], hidden, layers
    with torch.device("meta"):
        readout = make_readout(settings.readout, hidden, layers)
    if is_foreign:
        check_no_hooks(readout, settings.readout, config["model_type"])
    return readout, hidden, layers
