"""Builds the model of a run before its first step: fresh, from a checkpoint, or a finished run's; with its checks."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import torch

from data.inputs.added_tokens import added_to, with_added
from data.inputs.cleaning import unmarked
from data.inputs.tokenizer import PieceTokenizer, Tokenizer, load_tokenizer, lower_as
from data.inputs.trimmed import TrimmedTokenizer
from data.splits import Splits
from models.architecture import check_vocabulary
from models.backbones.bag_of_words import BagOfWords
from models.backbones.dropout import TokenDropout, dropout_generator
from models.backbones.freeze import freeze
from models.build import build
from models.capabilities import Fitted, Folded
from models.checkpoints.cut import Cut
from models.checkpoints.open import load_model
from models.checkpoints.outline import read_outline
from models.checkpoints.read import HEAD, WEIGHTS, WeightsReport, read_config, require_weights
from models.checkpoints.source import check_source
from models.checkpoints.static import check_static, table_shape
from models.compression.lengths.choice import entry_of
from models.compression.methods import is_quantized
from models.compression.settings.chain import undoes
from models.heads.exits import exits_of
from models.heads.label_order import label_names_of, match_labels, reorder_outputs
from models.heads.linear import LinearHead
from models.heads.target_scale import standardise_targets
from models.heads.text import SequenceClassifier
from models.network import Network
from models.readouts.base import Readout
from models.settings import OVER_NGRAMS, ModelSettings
from runner.errors import ConfigError
from runner.schema import Settings
from runner.tasks.make import task_of_labels
from runner.training.compact_vocabulary import find_compact_table
from runner.training.ngram.check import check_fit
from runner.training.ngram.fold import SPARE_BYTES
from runner.training.ngram.found_rows import keep_frequent


def check_checkpoint(settings: Settings) -> None:
    """Raise the user's errors for a checkpoint that is missing or that no model can be built from.

    Called before any data is read and before any other run is made; reads config.json alone.
    """
    model = settings.model
    if settings.finished:
        return
    if model.family in OVER_NGRAMS:
        return
    if model.family == "dsn":
        if model.pretrained:
            check_static(model.pretrained, model.dims)
            check_folder(model, table_shape(model.pretrained)[0])
            check_added(settings, table_shape(model.pretrained)[0])
        if model.init_from and model.init != "random":
            require_weights(model.init_from, "model.init_from")
    elif not model.init_from:
        config = check_source(model)
        if model.pretrained:
            require_weights(model.pretrained)
            found = read_outline(model, config)
            check_positions(settings, found.longest)
            check_folder(model, found.rows)
            check_added(settings, found.rows)


def check_folder(model: ModelSettings, rows: int | None) -> None:
    """Raise the user's errors for a folder without a tokenizer, or with more tokens in it than its table has rows."""
    if not Path(model.tokenizer).expanduser().is_dir():
        return
    tokenizer = load_tokenizer(model.tokenizer, special_tokens=model.special_tokens)
    if rows is not None:
        is_padded = not model.special_tokens and tokenizer.pad_id == rows  # one id more, for rows without padding
        check_vocabulary(model.pretrained or "", rows + is_padded, tokenizer.vocab_size)


def check_added(settings: Settings, rows: int | None) -> None:
    """Raise ConfigError for added tokens that do not fit in a checkpoint's table of `rows` word vectors."""
    model, added = settings.model, settings.data.added_tokens
    if not added or rows is None or model.tokenizer == "train":
        return
    tokenizer = load_tokenizer(model.tokenizer, special_tokens=model.special_tokens)
    if isinstance(tokenizer, PieceTokenizer) and (
        with_added(tokenizer, added).vocab_size > max(rows, tokenizer.vocab_size)
    ):
        raise ConfigError(
            f"data.added_tokens=[{','.join(added)}]: {model.pretrained} has {rows:,} word vectors, and its tokenizer "
            f"{model.tokenizer} has too few unused pieces for added tokens to replace. Try: 'data.added_tokens=[]', "
            "or model.pretrained=null"
        )


def check_positions(settings: Settings, positions: int | None) -> None:
    """Raise ConfigError for texts that may have more tokens than the model has positions; None: it has no limit."""
    if positions is not None and settings.data.max_length > positions:
        raise ConfigError(
            f"data.max_length={settings.data.max_length} is more than the {positions} positions of "
            f"{settings.model.name}. Try: data.max_length={positions}"
        )


def build_initial_model(settings: Settings, splits: Splits, folder: Path | None) -> tuple[Network, WeightsReport, str]:
    """Return the model before its first step, its weights, and their part of the identity ("" for weights of the seed).

    folder: of the saved model that it starts from, if any. Raises ConfigError for texts that may be longer than the
    model takes.
    """
    torch.manual_seed(settings.seed)
    dropout_generator.seed(settings.seed)
    if settings.finished:
        model, weights = open_finished_model(Path(settings.finished), settings.model, splits.task.label_names)
        check_finished(model, settings)
    else:
        model, weights = build_first_model(settings, splits, folder)
    # Includes the architecture: a checkpoint's number of heads and kind of norms show in no tensor.
    content = weights.fingerprint and f"{weights.fingerprint} {sorted(model.architecture.items())}"
    if targets := splits.task.target_scale:
        is_fresh = not any(name.startswith(HEAD) for name in weights.loaded)
        standardise_targets(cast(SequenceClassifier, model), targets.mean, targets.sd, is_fresh=is_fresh)
    elif not any(name.startswith(HEAD) for name in weights.loaded):
        bias = task_of_labels(splits.task, settings).output_bias(splits.train)
        if bias is not None and isinstance(model, LinearHead):
            model.start_from(bias)
    check_model(model, settings, splits)
    return model, weights, content


def check_model(model: Network, settings: Settings, splits: Splits) -> None:
    """Raise ConfigError for texts that may be too long for the model, and for an impossible compact vocabulary."""
    check_positions(settings, model.architecture.get("max_position_embeddings"))
    if isinstance(model.bert, Fitted | Folded) or settings.model.add == "ngram":
        spare = SPARE_BYTES if isinstance(model.bert, Folded) else 0
        check_fit(splits, settings.model, task_of_labels(splits.task, settings).head(), spare)
    check_readout_length(model.bert.pooler, settings)
    if settings.model.pairs != "none":
        check_pairs(np.asarray(splits.train.known_labels), settings.model.pairs)
    if model.bert.pooler.texts == 2 and not splits.train.has_pairs:
        raise ConfigError(
            f"the tokenizer {splits.tokenizer.source} does not tell the two texts of a pair apart, but model/readout="
            f"{settings.model.readout['name']} compares them. Try: model.tokenizer=train, or model/readout=mean"
        )
    if settings.engine.compact_vocabulary == "always" and isinstance(
        reason := find_compact_table(model, splits.train, settings.optimizer), str
    ):
        raise ConfigError(f"engine.compact_vocabulary=always: {reason}. Try: engine.compact_vocabulary=auto")


def check_pairs(labels: np.ndarray, wanted: str) -> None:
    """Raise ConfigError if training rows with these labels cannot form pairs of the same class and of different
    classes.
    """
    if np.issubdtype(labels.dtype, np.floating):
        raise ConfigError(f"model.pairs={wanted} needs classes, but the labels are numbers. Try: model=frozen")
    if (classes := len(np.unique(labels))) < 2:
        raise ConfigError(f"model.pairs={wanted} needs rows of two classes, but there is {classes}. Try: other data")


def check_readout_length(readout: Readout, settings: Settings) -> None:
    """Raise ConfigError for texts that may be longer than the readout has room for."""
    longest, wanted = readout.longest, settings.data.max_length
    if longest is not None and wanted > longest:
        raise ConfigError(
            f"data.max_length={wanted} is more than the {longest} tokens that model/readout="
            f"{settings.model.readout['name']} has room for. Try: model.readout.length={wanted}"
        )


def build_first_model(settings: Settings, splits: Splits, folder: Path | None = None) -> tuple[Network, WeightsReport]:
    """Return the model with the head of its task, from the saved model in `folder`, if any; the caller seeds torch."""
    tokenizer = splits.tokenizer
    model, weights = build(
        settings.model,
        task_of_labels(splits.task, settings).head(),
        vocab_size=tokenizer.vocab_size,
        pad_id=tokenizer.pad_id,
        tokens=tokenizer.tokens,
        start=folder,
        label_names=splits.task.label_names,
        cut=find_cut(settings, splits, folder),
        counts=lambda: np.bincount(np.asarray(splits.train.tokens), minlength=tokenizer.vocab_size).tolist(),
    )
    if isinstance(model.bert, Folded):
        keep_frequent(model.bert, splits.train, settings.model.min_df)
    return model, weights


def find_cut(settings: Settings, splits: Splits, folder: Path | None) -> Cut | None:
    """Return the rows of a checkpoint's word tables to keep.

    None for a full vocabulary, and for a model whose vocabulary was trimmed before.
    """
    tokenizer = splits.tokenizer
    if not isinstance(tokenizer, TrimmedTokenizer):
        return None
    if folder and unmarked(tokenizer.untrimmed) not in fingerprints_of(folder, tokenizer):
        return None
    return Cut(tokenizer.kept, settings.data.max_length, None if splits.task.is_pair else 1)


def open_finished_model(
    folder: Path, settings: ModelSettings, label_names: Sequence[str]
) -> tuple[Network, WeightsReport]:
    """Return the saved model of a finished run, ready to be trained further, and its weights' facts.

    label_names: of the task; where the run had them in another order, its outputs are brought into this one.
    """
    model = load_model(folder)
    freeze(model, settings.freeze)
    if isinstance(model.bert, BagOfWords):
        model.bert.token_dropout = TokenDropout(settings.token_dropout)
    found = label_names_of(read_config(str(folder), ""))
    order, notes = match_labels(found, label_names, f"from={folder}", "the data of that run")
    digest = hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()
    if order != sorted(order):
        reorder_outputs(model, order, f"from={folder}")
        digest += f" {order}"
    return model, WeightsReport(source=str(folder), fingerprint=digest, loaded=list(model.state_dict()), notes=notes)


def check_finished(model: Network, settings: Settings) -> None:
    """Raise ConfigError for stages that may not follow those of a finished model."""
    stages = list(settings.compression.values())
    if stages and all(stage.phase == "exits" for stage in stages):
        return
    if is_quantized(model.architecture) and not (stages and all(stage.keeps_codes for stage in stages)):
        raise ConfigError(
            f"{settings.finished}: its weights are quantized already, so no stage that trains may follow. "
            "Name another run"
        )
    if exits_of(model) is not None:
        raise ConfigError(
            f"{settings.finished}: has exits, whose thresholds another stage would undo. Name the run before it"
        )
    has_lengths = entry_of(model.architecture) is not None
    if has_lengths and (name := next((n for n, one in settings.compression.items() if undoes(one, "shorten")), "")):
        raise ConfigError(
            f"{settings.finished}: {name} would undo its choice of lengths. Name the run before it, and then choose "
            f"lengths again: 'compression=[{name},length]'"
        )


def check_tokenizer(folder: Path | None, splits: Splits, *, is_finished: bool = False) -> None:
    """Raise ConfigError when the tokens of the model in `folder` are not those of the data.

    is_finished: the model is used unchanged; any other may lose the tokens that model.vocabulary leaves out.
    """
    tokenizer = splits.tokenizer
    usable = [unmarked(tokenizer.fingerprint)]
    if isinstance(tokenizer, TrimmedTokenizer) and not is_finished:
        usable.append(unmarked(tokenizer.untrimmed))
    if folder and not fingerprints_of(folder, tokenizer, may_add=not is_finished).intersection(usable):
        raise ConfigError(
            f"{folder} was trained with a vocabulary other than {tokenizer.source}. Try: model.tokenizer=auto"
        )


def fingerprints_of(folder: Path, wanted: Tokenizer, *, may_add: bool = True) -> set[str]:
    """Return the fingerprints of a saved tokenizer, without cleaning: as it is, and with the wanted lower-casing.

    may_add: with its added tokens too, which a model that is trained again can learn.
    """
    found = changed = load_tokenizer(str(folder))
    if isinstance(found, PieceTokenizer) and isinstance(wanted, PieceTokenizer):
        changed = lower_as(found, wanted.language)
        changed = with_added(changed, added_to(wanted)) if may_add else changed
    return {unmarked(found.fingerprint), unmarked(changed.fingerprint)}
