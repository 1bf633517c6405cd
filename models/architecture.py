"""Converts a network's shape between our settings and config.json, whose keys are those of transformers' BertConfig."""

from __future__ import annotations

from dataclasses import replace

from models import MODEL_TYPE
from models.errors import ModelError
from models.json_types import JsonObject
from models.settings import ModelSettings, short_part

# The keys that a config.json may leave out, with transformers' defaults.
BERT_DEFAULTS: JsonObject = {
    "hidden_act": "gelu",
    "position_embedding_type": "absolute",
    "layer_norm_eps": 1e-12,
    "initializer_range": 0.02,
    "hidden_dropout_prob": 0.1,
    "attention_probs_dropout_prob": 0.1,
    "max_position_embeddings": 512,
    "type_vocab_size": 2,
    "pad_token_id": 0,
}

# The sizes that a checkpoint and the settings must agree on: the name in the settings, the key in config.json.
SIZES = {
    "layers": "num_hidden_layers",
    "hidden": "hidden_size",
    "heads": "num_attention_heads",
    "intermediate": "intermediate_size",
}


def sizes_in_settings(settings: ModelSettings) -> dict[str, int]:
    """The encoder sizes that the settings ask for, by setting name."""
    intermediate = settings.intermediate or 4 * settings.hidden
    return dict(zip(SIZES, (settings.layers, settings.hidden, settings.heads, intermediate)))


def sizes_in_config(config: JsonObject) -> dict[str, int]:
    """The encoder sizes that a config.json describes, by setting name."""
    return {name: config[key] for name, key in SIZES.items()}


def is_our_encoder(config: JsonObject) -> bool:
    """Can our own encoder compute this config: a BERT with erf GELU and absolute positions, or an encoder we saved?"""
    if config["model_type"] == MODEL_TYPE:
        return "backbone" not in config and config["num_hidden_layers"] > 0
    return (
        config["model_type"] == "bert"
        and config["hidden_act"] == "gelu"
        and config["position_embedding_type"] == "absolute"
        and not config.get("is_decoder")
    )


def describe_kind(config: JsonObject) -> str:
    """The kind of model that a config describes, for error messages."""
    if config["model_type"] != "bert":
        return str(config["model_type"])
    return f"bert with {config['hidden_act']} and {config['position_embedding_type']} positions"


def with_sizes(settings: ModelSettings, config: JsonObject) -> ModelSettings:
    """A copy of the settings with the sizes from a BERT's config.json."""
    return replace(
        settings,
        layers=config["num_hidden_layers"],
        hidden=config["hidden_size"],
        heads=config["num_attention_heads"],
        intermediate=config["intermediate_size"],
        positions=config["max_position_embeddings"],
        segments=config["type_vocab_size"],
        initializer_range=config["initializer_range"],
        layer_norm_eps=config["layer_norm_eps"],
    )


def describe_architecture(settings: ModelSettings, hidden: int, vocab_size: int, pad_id: int) -> JsonObject:
    """The model's shape, under the keys of transformers' BertConfig, and its parts: enough to rebuild it."""
    parts: JsonObject = {"readout": short_part(settings.readout)}
    if settings.embedding["name"] != "table":
        parts["embedding"] = settings.embedding
    if settings.norm != "layer":
        parts["norm"] = settings.norm
    if not settings.positional:
        parts["positional"] = False
    return {
        "num_hidden_layers": settings.layers if settings.family in ("bert", "auto") else 0,  # attention layers
        "hidden_size": hidden,
        "num_attention_heads": settings.heads,
        "intermediate_size": settings.intermediate or 4 * hidden,
        "max_position_embeddings": settings.positions,
        "type_vocab_size": settings.segments,
        "vocab_size": vocab_size,
        "pad_token_id": pad_id,
        "hidden_act": "gelu",
        "layer_norm_eps": settings.layer_norm_eps,
        "hidden_dropout_prob": settings.dropout,
        "attention_probs_dropout_prob": settings.attention_dropout,
        "initializer_range": settings.initializer_range,
    } | parts


def check_vocabulary(source: str, table: int, vocab_size: int) -> None:
    """Raise ModelError if the tokenizer has more tokens than the checkpoint has word vectors."""
    if vocab_size > table:
        raise ModelError(
            f"the tokenizer has {vocab_size:,} tokens, but {source} has word vectors for {table:,}. "
            f"Try: model.tokenizer={source}, or if that is in use, a fresh copy of it"
        )
