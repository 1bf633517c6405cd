"""Builds a model that starts from a pretrained checkpoint: our own BERT, or an encoder of transformers."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import torch

from models.architecture import check_vocabulary, sizes_in_config, sizes_in_settings, with_sizes
from models.backbones.bert import build_bert
from models.backbones.stock_head import STOCK, stock_part
from models.backbones.transformers_backbone import clear_padding, renamed_tensors, wrap_encoder
from models.checkpoints.cut import Cut
from models.checkpoints.digest import tensor_bytes
from models.checkpoints.read import TABLE, WeightsReport, load_pretrained, read_state, rename_bert_tensors
from models.checkpoints.untrusted import check_size_claim
from models.embeddings.base import Tokens, WordVectors
from models.errors import ModelError
from models.heads.attach import attach_head
from models.heads.base import HeadSpec
from models.heads.linear import LinearHead
from models.heads.words import PREDICTIONS, MaskedLM
from models.json_types import JsonObject
from models.settings import PRETRAINED, ModelSettings, full_part

BY_WORD = (f"{PREDICTIONS}bias", f"{PREDICTIONS}decoder.weight", f"{PREDICTIONS}decoder.bias")  # a row for each word


def start_from_bert(
    settings: ModelSettings,
    config: JsonObject,
    head: HeadSpec,
    *,
    vocab_size: int,
    pad_id: int,
    tokens: Tokens | None,
    cut: Cut | None = None,
) -> tuple[LinearHead, WeightsReport]:
    """Build our BERT with a checkpoint's weights and a new head; its size is the checkpoint's for family auto."""
    source, notes = settings.pretrained or "", list[str]()
    config = cut.config(config, source) if cut else config
    _check_embedding(settings, config)
    if settings.embedding["name"] == "table":  # its rows are the checkpoint's tokens
        check_vocabulary(source, int(config["vocab_size"]), vocab_size)
        vocab_size = int(config["vocab_size"])
    if settings.family == "auto":
        settings = with_sizes(settings, config)
    else:
        notes = _check_size(settings, config)
        settings = replace(settings, layer_norm_eps=config["layer_norm_eps"])
    state = rename_bert_tensors(read_state(source))
    check_size_claim(config, state, f"{PRETRAINED}={source}")
    model = attach_head(*build_bert(settings, vocab_size=vocab_size, pad_id=pad_id, tokens=tokens), head)
    words = model.bert.word_vectors()
    state = cut.state(state, model, words) if cut else state
    weights = load_pretrained(model, source, state)
    if isinstance(words, WordVectors) and TABLE in state:
        check_vocabulary(source, len(state[TABLE]), vocab_size if settings.embedding.get("align") else 0)
        words.start_from(state[TABLE])
    weights.notes = notes + weights.notes
    return model, weights


def start_from_transformers(
    settings: ModelSettings, config: JsonObject, head: HeadSpec, *, vocab_size: int, cut: Cut | None = None
) -> tuple[LinearHead, WeightsReport]:
    """Build the transformers encoder of settings.pretrained, whose config.json is `config`, with a new head."""
    source = settings.pretrained or ""
    state = read_state(source)
    check_size_claim(config, state, f"{PRETRAINED}={source}")
    readout = stock_part(head.name) if settings.head == STOCK else settings.readout
    backbone, architecture = wrap_encoder(config, readout, settings.dropout)
    state = renamed_tensors(state, backbone)
    if cut:
        backbone, architecture = wrap_encoder(cut.config(config, source), readout, settings.dropout)
    model = attach_head(backbone, architecture, head)
    check_vocabulary(source, backbone.backbone.get_input_embeddings().weight.shape[0], vocab_size)
    state = cut.state(state, model, backbone.word_vectors()) if cut else state
    weights = load_pretrained(model, source, state)
    weights.notes += _unused_dropout(settings, config["model_type"])
    if clear_padding(backbone.backbone):
        weights.notes.append(f"the vector of the padding token of {source} is set to 0: its neighbours would see it")
    return model, weights


def _unused_dropout(settings: ModelSettings, model_type: str) -> list[str]:
    """A note for each dropout in the settings that a transformers encoder ignores in favour of its config.json's."""
    usual, names = (
        ModelSettings(),
        ("dropout", "attention_dropout") if settings.head == STOCK else ("attention_dropout",),
    )
    given = {name: vars(settings)[name] for name in names if vars(settings)[name] != vars(usual)[name]}
    return [
        f"model.{name}={value:g} has no effect: a {model_type} has the dropout of its config.json"
        for name, value in given.items()
    ]


def _check_embedding(settings: ModelSettings, config: JsonObject) -> None:
    """Raise ModelError if the checkpoint's encoder was trained with another embedding than the settings ask for."""
    wanted, found = settings.embedding, full_part(config.get("embedding", "table"))
    if found["name"] == "table":
        return  # an embedding that replaces the table is trained or fitted from there
    wrong = [f"model.embedding.{key}={value}" for key, value in found.items() if wanted.get(key) != value]
    wrong = [word for word in wrong if not word.startswith("model.embedding.mode=")]
    if wrong:
        words = [word.replace("model.embedding.name", "model/embedding") for word in wrong]
        raise ModelError(
            f"{PRETRAINED}={settings.pretrained}: was trained with another embedding. Try: {' '.join(words)}"
        )


def _check_size(settings: ModelSettings, config: JsonObject) -> list[str]:
    """A note if only the first layers are used; ModelError if preset and checkpoint differ in size.

    This matters most for attention heads: their number shows in no tensor's shape, so nothing else would notice.
    """
    found, own = sizes_in_config(config), sizes_in_settings(settings)
    wrong = [
        f"{name} {found[name]} (the model has {own[name]})"
        for name in ("hidden", "heads", "intermediate")
        if found[name] != own[name]
    ]
    if found["layers"] < own["layers"]:
        wrong.append(f"layers {found['layers']} (the model has {own['layers']})")
    if wrong:
        raise ModelError(
            f"{PRETRAINED}={settings.pretrained}: does not fit model={settings.name}: {', '.join(wrong)}. "
            f"Try: run model=auto {PRETRAINED}={settings.pretrained}"
        )
    if found["layers"] > own["layers"]:
        return [f"the first {own['layers']} of the {found['layers']} layers of {settings.pretrained} are used"]
    return []


@torch.no_grad()
def load_word_head(model: MaskedLM, source: str, weights: WeightsReport, cut: Cut | None = None) -> None:
    """Copy the checkpoint's masked-language-model head, if it has one, and update the report on the weights.

    cut: the tokens that the model keeps; None: all.
    """
    state, own = rename_bert_tensors(read_state(source)), model.state_dict()
    if cut:
        kept = torch.from_numpy(cut.kept)
        state |= {name: state[name][kept] for name in BY_WORD if name in state}
    found = {name: tensor for name, tensor in state.items() if name.startswith(PREDICTIONS) and name in own}
    for name, tensor in found.items():
        if tensor.shape != own[name].shape:
            raise ModelError(
                f"{PRETRAINED}={source}: {name} has shape {tuple(tensor.shape)}, the model expects "
                f"{tuple(own[name].shape)}. Try: {PRETRAINED}=null"
            )
        own[name].copy_(tensor)
    digest = hashlib.sha256(weights.fingerprint.encode())
    for name in sorted(found):
        digest.update(name.encode() + tensor_bytes(found[name]))
    weights.fingerprint = digest.hexdigest()
    weights.loaded = [name for name in weights.loaded if name in own] + sorted(found)
    weights.ignored = sorted(set(state) - set(weights.loaded))
    known = {f"{PREDICTIONS}decoder.weight"} if model.output == "fixed" else set()  # else the word vectors just loaded
    weights.new = sorted(own.keys() - known - set(weights.loaded))
    weights.notes = [note for note in weights.notes if "pooler" not in note]
    if not found:
        weights.notes.append(f"{source} has no head for masked words: its weights start at random")
