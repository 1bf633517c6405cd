"""From settings to a model with its first weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from models.backbones.bag_of_words import build_dsn
from models.backbones.bert import Bert, Embeddings, Encoder
from models.backbones.freeze import freeze
from models.checkpoints.hub import PRETRAINED
from models.checkpoints.read import TABLE, WORDS, Weights, bert_names, load_into, read_state
from models.checkpoints.source import BERT_DEFAULTS, check_source, is_ours
from models.checkpoints.untrusted import believed, check_room
from models.embeddings.base import Tokens
from models.errors import ModelError
from models.heads.target_scale import TARGETS, attach
from models.network import SequenceClassifier
from models.readouts.base import make_readout
from models.settings import ModelSettings, contradictions, full, short


def build(
    settings: ModelSettings,
    *,
    num_labels: int,
    vocab_size: int,
    pad_id: int = 0,
    tokens: Tokens | None = None,
    start: Path | None = None,
    label_names: Sequence[str] = (),
) -> tuple[SequenceClassifier, Weights]:
    """The model of `settings` and where its weights came from; the caller seeds torch for what is drawn.

    num_labels: outputs of the head (1 for regression); vocab_size: of the tokenizer in use; tokens: its token of each
    id, for embeddings that read them; start: the folder of a saved model whose encoder goes on
    (models/checkpoints/transfer.py); label_names: in id order, for the case that its head goes on, too.
    Raises ModelError for parts and sizes that do not fit together and weights that cannot be had.
    """
    if refused := contradictions(settings):
        raise ModelError("\n".join(refused))
    model, weights = _build(settings, num_labels, vocab_size, pad_id, tokens, start, label_names)
    freeze(model, settings.freeze)
    if settings.embedding["name"] != "table" and (notes := getattr(model.get_submodule(WORDS), "notes", None)):
        weights.notes += notes()
    return model, weights


def _build(
    settings: ModelSettings,
    num_labels: int,
    vocab_size: int,
    pad_id: int,
    tokens: Tokens | None,
    start: Path | None,
    label_names: Sequence[str],
) -> tuple[SequenceClassifier, Weights]:
    """The model of its family, nothing frozen yet."""
    if settings.family == "dsn":
        return build_dsn(settings, num_labels=num_labels, vocab_size=vocab_size, pad_id=pad_id, tokens=tokens)
    if start is not None:
        from models.checkpoints.transfer import carry

        names = label_names or [f"LABEL_{place}" for place in range(num_labels)]
        return carry(settings, start, label_names=names, vocab_size=vocab_size, tokens=tokens)
    source = settings.pretrained
    if not source:
        check_source(settings)
        return build_bert(settings, num_labels, vocab_size, pad_id, tokens), Weights()
    config = check_source(settings)
    with believed(f"{PRETRAINED}={source}"):
        if is_ours(config):
            model, weights = _build_pretrained(settings, config, num_labels, vocab_size, pad_id, tokens)
        else:
            from models.backbones.transformers_backbone import build_auto

            model, weights = build_auto(settings, config, num_labels=num_labels, vocab_size=vocab_size)
    if "auto_map" in config:
        weights.notes.append(f"{source} brings its own code; transformers' own {config['model_type']} is used instead")
    return model, weights


def _build_pretrained(
    settings: ModelSettings,
    config: dict[str, Any],
    num_labels: int,
    vocab_size: int,
    pad_id: int,
    tokens: Tokens | None,
) -> tuple[SequenceClassifier, Weights]:
    """Our BERT with a checkpoint's weights, in its own size (family auto) or checked against the preset's."""
    source, notes = settings.pretrained or "", list[str]()
    _check_embedding(settings, config)
    if settings.embedding["name"] == "table":  # its rows are the checkpoint's tokens
        check_vocabulary(source, int(config["vocab_size"]), vocab_size)
        vocab_size = int(config["vocab_size"])
    if settings.family == "auto":
        settings = sized(settings, config)
    else:
        notes = _check_size(settings, config)
        settings = replace(settings, layer_norm_eps=config["layer_norm_eps"])
    state = bert_names(read_state(source))
    check_room(config, state, f"{PRETRAINED}={source}")
    model = build_bert(settings, num_labels, vocab_size, pad_id, tokens)
    weights = load_into(model, source, state)
    start_from = getattr(model.get_submodule(WORDS), "start_from", None)
    if start_from is not None and TABLE in state:
        check_vocabulary(source, len(state[TABLE]), vocab_size if settings.embedding.get("align") else 0)
        start_from(state[TABLE])
    weights.notes = notes + weights.notes
    return model, weights


def _check_embedding(settings: ModelSettings, config: dict[str, Any]) -> None:
    """ModelError when an encoder learned to read other vectors than the settings would give it."""
    wanted, found = settings.embedding, full(config.get("embedding", "table"))
    if found["name"] == "table":
        return  # whatever takes the place of a table is trained, or fitted, from there
    wrong = [f"model.embedding.{key}={value}" for key, value in found.items() if wanted.get(key) != value]
    wrong = [word for word in wrong if not word.startswith("model.embedding.mode=")]
    if wrong:
        words = [word.replace("model.embedding.name", "model/embedding") for word in wrong]
        raise ModelError(
            f"{PRETRAINED}={settings.pretrained}: was trained with another embedding. Try: {' '.join(words)}"
        )


def check_vocabulary(source: str, table: int, vocab_size: int) -> None:
    """ModelError when the tokenizer has more tokens than the checkpoint has word vectors."""
    if vocab_size > table:
        raise ModelError(
            f"the tokenizer has {vocab_size:,} tokens, {source} has word vectors for {table:,}. "
            f"Try: model.tokenizer={source}"
        )


def _check_size(settings: ModelSettings, config: dict[str, Any]) -> list[str]:
    """A note when only the first layers are used; ModelError when the preset is not of the checkpoint's size.

    Heads above all: no tensor's shape shows their number, so nothing else would notice.
    """
    found = sized(settings, config)
    own = replace(settings, intermediate=settings.intermediate or 4 * settings.hidden)
    wrong = [
        f"{name} {getattr(found, name)} (the model has {getattr(own, name)})"
        for name in ("hidden", "heads", "intermediate")
        if getattr(found, name) != getattr(own, name)
    ]
    if found.layers < own.layers:
        wrong.append(f"layers {found.layers} (the model has {own.layers})")
    if wrong:
        raise ModelError(
            f"{PRETRAINED}={settings.pretrained}: does not fit model={settings.name}: {', '.join(wrong)}. "
            f"Try: run model=auto {PRETRAINED}={settings.pretrained}"
        )
    if found.layers > own.layers:
        return [f"the first {own.layers} of the {found.layers} layers of {settings.pretrained} are used"]
    return []


def sized(settings: ModelSettings, config: dict[str, Any]) -> ModelSettings:
    """The settings with the sizes of a transformers BERT config."""
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


def build_bert(
    settings: ModelSettings, num_labels: int, vocab_size: int, pad_id: int, tokens: Tokens | None = None
) -> SequenceClassifier:
    """Our BERT with random weights, as BERT draws them."""
    if settings.hidden % settings.heads:
        raise ModelError(
            f"model.hidden={settings.hidden} does not divide into model.heads={settings.heads}. "
            f"Try: model.heads={_heads(settings.hidden)}"
        )
    embeddings = Embeddings(settings, vocab_size, settings.hidden, pad_id, tokens)
    bert = Bert(embeddings, Encoder(settings), make_readout(settings.readout, settings.hidden, settings.layers))
    architecture = describe(settings, settings.hidden, vocab_size, pad_id)
    model = SequenceClassifier(bert, num_labels, settings.dropout, architecture)
    draw(model, settings.initializer_range)
    return model


def _heads(hidden: int) -> int:
    """The number of heads, close to one for each 64 dimensions as in BERT, that divides `hidden`."""
    return max(count for count in range(1, max(1, hidden // 64) + 1) if hidden % count == 0)


def describe(settings: ModelSettings, hidden: int, vocab_size: int, pad_id: int) -> dict[str, Any]:
    """The model's shape in the words of transformers' BertConfig, and its parts: enough to build it again."""
    parts = {"readout": short(settings.readout)}
    if settings.embedding["name"] != "table":
        parts["embedding"] = settings.embedding
    if settings.norm != "layer":
        parts["norm"] = settings.norm
    return {
        "num_hidden_layers": 0 if settings.family == "dsn" else settings.layers,
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


def rebuild(architecture: dict[str, Any], num_labels: int, tokens: Tokens | None = None) -> SequenceClassifier:
    """The model of an architecture (config.json), as compression left its structure, with random weights."""
    from models.compression.methods import restore_stages

    model = restore_stages(_rebuild(architecture, num_labels, tokens), architecture)
    if TARGETS in architecture:
        attach(model, architecture[TARGETS])
    return model


def _rebuild(architecture: dict[str, Any], num_labels: int, tokens: Tokens | None) -> SequenceClassifier:
    readout = full(architecture["readout"])
    if "backbone" in architecture:
        from models.backbones.transformers_backbone import assemble

        dropout = architecture["hidden_dropout_prob"]
        return assemble(architecture["backbone"], readout, num_labels, dropout)
    config = BERT_DEFAULTS | architecture
    settings = sized(ModelSettings(), config)
    settings.dropout = config["hidden_dropout_prob"]
    settings.attention_dropout = config["attention_probs_dropout_prob"]
    settings.readout, settings.embedding = readout, full(config.get("embedding", "table"))
    settings.norm = config.get("norm", "layer")
    vocab_size, pad_id = config["vocab_size"], config["pad_token_id"]
    if settings.layers:
        return build_bert(settings, num_labels, vocab_size, pad_id, tokens)
    settings.family = "dsn"
    model, _ = build_dsn(settings, num_labels=num_labels, vocab_size=vocab_size, pad_id=pad_id, tokens=tokens)
    return model


@torch.no_grad()
def draw(model: nn.Module, spread: float) -> None:
    """BERT's initialisation: normal(0, spread) matrices and tables, zero biases and padding row.

    A module with a `spread` of its own gets that.
    """
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Embedding):
            module.weight.normal_(0.0, getattr(module, "spread", spread))
        if isinstance(module, nn.Linear) and module.bias is not None:
            module.bias.zero_()
        if isinstance(module, nn.Embedding) and module.padding_idx is not None:
            module.weight[module.padding_idx].zero_()
