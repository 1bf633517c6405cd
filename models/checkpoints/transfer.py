"""Transfers an encoder, and its head if that fits, from a trained model to a new one: between tasks or after tuning.

The saved model's config.json describes it. A different architecture, embedding or readout is refused, unless only the
word table is taken: then just the width of the vectors must agree.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from models import MODEL_TYPE
from models.architecture import (
    BERT_DEFAULTS,
    describe_architecture,
    is_our_encoder,
    sizes_in_config,
    sizes_in_settings,
)  # fmt: skip
from models.backbones.bert_embeddings import Embeddings
from models.checkpoints.cut import Cut
from models.checkpoints.digest import tensor_bytes
from models.checkpoints.read import HEAD, READOUT, WeightsReport, read_config, read_state, rename_bert_tensors
from models.checkpoints.untrusted import malformed_as_model_error
from models.compression.methods import is_quantized
from models.embeddings.base import Tokens
from models.errors import ModelError
from models.heads.attach import LINEAR, head_in_config
from models.heads.base import HeadSpec
from models.heads.exits import EXITS
from models.heads.label_order import label_names_of, match_labels, reorder_tensor
from models.heads.linear import LinearHead
from models.heads.target_scale import TARGETS
from models.json_types import JsonObject
from models.rebuild import rebuild
from models.settings import INIT_FROM, WORD_TABLE, ModelSettings, full_part, short_part

WORDS = "bert.embeddings.word_embeddings."
DENSE = f"{READOUT}dense."  # BERT's pooler: pretrained with the encoder, so treated as part of it


def transfer_weights(
    settings: ModelSettings,
    folder: Path,
    head: HeadSpec,
    *,
    label_names: Sequence[str],
    vocab_size: int,
    tokens: Tokens | None,
    cut: Cut | None = None,
) -> tuple[LinearHead, WeightsReport]:
    """Build the model of `settings` with the parts of the model in `folder` that settings.carry selects.

    label_names: of the task, in id order; a transferred last layer is reordered to match. Other weights are random.
    Raises ModelError for a model of another architecture or vocabulary, and for a last layer with other labels.
    """
    source = str(folder)
    with malformed_as_model_error(f"{INIT_FROM}={source}"):
        is_table = settings.carry == WORD_TABLE and settings.family == "bert"  # put into a new encoder
        config = _config(source, needs_layers=not is_table)
        _check(settings, config, source, vocab_size)
        config = _around_table(settings, config) if is_table else config
        config = cut.config(config, source) if cut else config
        order, notes = _order(settings, config, source, label_names)
        dropouts = {"hidden_dropout_prob": settings.dropout, "attention_probs_dropout_prob": settings.attention_dropout}
        architecture = {key: value for key, value in config.items() if key not in LABELS}
        if settings.carry != "all":
            architecture.pop(TARGETS, None)  # a new head is scaled to its own data
        model = rebuild(architecture | dropouts | {"readout": short_part(settings.readout)}, head, tokens)
        weights = _load(model, source, settings.carry, order, cut)
        weights.notes += notes
        if is_table:
            weights.notes += _share_of_words(model)
        return model, weights


# The keys of config.json that do not describe the network's architecture.
LABELS = ("architectures", "id2label", "label2id", "problem_type", "dtype", "classifier_dropout", "model_type")
# The keys of parts that are not transferred with a word table.
AROUND_TABLE = ("norm", "positional", "readout")


def _config(source: str, *, needs_layers: bool) -> JsonObject:
    config = read_config(source, "")
    if is_quantized(config):
        raise ModelError(
            f"{INIT_FROM}={source}: its weights are quantized and cannot be trained. Try: {INIT_FROM}=<the run before>"
        )
    if any(entry["method"] == EXITS for entry in config.get("compressed", ())):
        raise ModelError(f"{INIT_FROM}={source}: has exits. Try: {INIT_FROM}=<the run before>")
    if config["model_type"] == "bert" and is_our_encoder(BERT_DEFAULTS | config):
        return BERT_DEFAULTS | {"readout": LINEAR[head_in_config(config).name].stock_readout} | config
    if config["model_type"] == MODEL_TYPE and "hidden_size" in config:
        if needs_layers and not config.get("num_hidden_layers", 1):
            raise ModelError(
                f"{INIT_FROM}={source}: has no encoder. Try: model.carry={WORD_TABLE}, for its word vectors alone, or "
                f"{INIT_FROM}=<the run of a BERT>"
            )
        return config
    raise ModelError(
        f"{INIT_FROM}={source}: is a {config['model_type']}, not one of our own encoders. "
        f"Try: model.pretrained={source}, or {INIT_FROM}=<the run of a BERT>"
    )


def _around_table(settings: ModelSettings, config: JsonObject) -> JsonObject:
    """The architecture to build around a transferred word table: that of the settings.

    New weights are drawn with the checkpoint's standard deviation (initializer_range).
    """
    own = describe_architecture(settings, settings.hidden, config["vocab_size"], config["pad_token_id"])
    own["initializer_range"] = config["initializer_range"]
    return {key: value for key, value in config.items() if key not in AROUND_TABLE} | own


@torch.no_grad()
def _share_of_words(model: LinearHead) -> list[str]:
    """Return a note on the share of word vectors in the variance of the encoder's input.

    They help little if the new position and segment vectors, which are random, are longer.
    """
    embeddings = model.bert.embeddings
    assert isinstance(embeddings, Embeddings), "a word table goes into our own encoders alone"
    tables = embeddings.word_embeddings, embeddings.position_embeddings, embeddings.token_type_embeddings
    words, *others = [_mean_square(table) for table in tables if isinstance(table, nn.Embedding)]
    share = words / (words + sum(others))
    return [f"word vectors make up {share:.0%} of the variance of an input; positions and segments are new and random"]


def _mean_square(table: nn.Embedding) -> float:
    """Return the mean of the squared lengths of a table's vectors."""
    return float(table.weight.square().sum(1).mean())


def _order(
    settings: ModelSettings, config: JsonObject, source: str, label_names: Sequence[str]
) -> tuple[list[int] | None, list[str]]:
    """The positions of the task's labels in the saved last layer (None if that layer is not kept), and notes."""
    if settings.carry != "all":
        return None, []
    return match_labels(label_names_of(config), label_names, f"{INIT_FROM}={source}", "model.carry=encoder")


def _check(settings: ModelSettings, config: JsonObject, source: str, vocab_size: int) -> None:
    """Raise ModelError unless the saved model fits the architecture of `settings` and the vocabulary."""
    wrong = []
    if settings.family == "bert" and "backbone" in config:
        wrong.append(f"a {config['backbone']['model_type']}")
    elif settings.family == "bert":
        own, found = sizes_in_settings(settings), sizes_in_config(config)
        needed = ("hidden",) if settings.carry == WORD_TABLE else tuple(own)
        wrong += [f"{name} {found[name]} and not {own[name]}" for name in needed if found[name] != own[name]]
    parts = {"embedding": (config.get("embedding", "table"), settings.embedding)}
    if settings.carry in ("readout", "all"):
        parts["readout"] = (config["readout"], settings.readout)
    wrong += [f"{name} {full_part(was)} and not {now}" for name, (was, now) in parts.items() if full_part(was) != now]
    if wrong:
        cure = "the model, its parts and options as in that run, or model.carry=encoder"
        if settings.carry == WORD_TABLE:
            cure = f"{INIT_FROM}=<a run with word vectors like those of model={settings.name}>"
        raise ModelError(f"{INIT_FROM}={source}: has a different architecture: {', '.join(wrong)}. Try: {cure}")
    words = config.get("vocab_size", vocab_size)
    if words < vocab_size:
        raise ModelError(
            f"{INIT_FROM}={source}: has word vectors for {words:,} tokens, but the tokenizer has {vocab_size:,}. "
            "Try: model.tokenizer=auto"
        )


def _is_carried(name: str, what: str) -> bool:
    """Is this tensor taken from the saved model? BERT's pooler counts as part of the encoder."""
    if what == WORD_TABLE:
        return name.startswith(WORDS)
    random = {"encoder": (READOUT, HEAD), "readout": (HEAD,), "all": ()}[what]
    return not name.startswith(random) or name.startswith(DENSE)


@torch.no_grad()
def _load(model: LinearHead, source: str, what: str, order: list[int] | None, cut: Cut | None) -> WeightsReport:
    state, own = rename_bert_tensors(read_state(source, "")), model.state_dict()
    state = cut.state(state, model, model.bert.word_vectors()) if cut else state
    digest, report = hashlib.sha256(), WeightsReport(source=source)
    for name, tensor in own.items():
        found = state.get(name)
        if found is None or not _is_carried(name, what) or found.shape != tensor.shape:
            report.new.append(name)
            continue
        if order is not None and name.startswith(HEAD):
            found = reorder_tensor(name, found, order)
        tensor.copy_(found)
        digest.update(name.encode())
        digest.update(tensor_bytes(found))
        report.loaded.append(name)
    missing = [name for name in report.new if _is_carried(name, what) and not name.startswith(DENSE)]
    if missing:
        raise ModelError(f"{INIT_FROM}={source}: lacks {len(missing)} tensors of the encoder, such as {missing[0]}")
    if f"{DENSE}weight" in report.new and _is_carried(DENSE, what):
        report.notes.append(f"{source} has no pooler: its weights start at random")
    report.ignored = sorted(state.keys() - set(report.loaded))
    report.fingerprint = digest.hexdigest()
    return report
