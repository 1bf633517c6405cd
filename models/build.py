"""Builds a model with its initial weights from settings, for every model family."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from torch import nn

from models.architecture import is_our_encoder
from models.backbones.bag_of_words import BagOfWords, build_bag_of_words, start_word_vectors
from models.backbones.bert import Bert, build_bert
from models.backbones.bilstm import build_bilstm
from models.backbones.cnn import build_cnn
from models.backbones.freeze import freeze
from models.backbones.ngram import build_bag_of_ngrams
from models.backbones.ngram_vectors import build_ngram_vectors
from models.backbones.static_start import Counts, start_from_encoder, start_from_table
from models.checkpoints.cut import Cut
from models.checkpoints.pooling import with_own_readout
from models.checkpoints.read import WeightsReport
from models.checkpoints.source import check_source
from models.checkpoints.start import load_word_head, start_from_bert, start_from_transformers
from models.checkpoints.static import check_static
from models.checkpoints.transfer import transfer_weights
from models.checkpoints.untrusted import malformed_as_model_error
from models.embeddings.base import Tokens, WordVectors
from models.errors import ModelError
from models.heads.attach import LINEAR, attach_head
from models.heads.base import HeadSpec
from models.heads.linear import LinearHead
from models.heads.words import MaskedLM
from models.network import Network
from models.setting_conflicts import contradictions
from models.settings import CNN, ENCODER_INITS, PRETRAINED, ModelSettings


def build(
    settings: ModelSettings,
    head: HeadSpec,
    *,
    vocab_size: int,
    pad_id: int = 0,
    tokens: Tokens | None = None,
    start: Path | None = None,
    label_names: Sequence[str] = (),
    cut: Cut | None = None,
    counts: Counts = tuple,
) -> tuple[Network, WeightsReport]:
    """Build the model of `settings` and report where its weights came from; the caller seeds torch.

    vocab_size: of the tokenizer in use; tokens: its tokens in id order, for embeddings that read them; start: a saved
    model whose encoder is trained further (models/checkpoints/transfer.py); label_names: in id order, needed if its
    head is kept too; cut: the part of a checkpoint's tables to keep; counts: token counts of the training texts. If
    `head` is a masked-language-model head, the checkpoint's is loaded.
    Raises ModelError for parts and sizes that do not fit together and for weights that are unavailable.
    """
    linear = head if head.name in LINEAR else HeadSpec()
    if refused := contradictions(settings, LINEAR[linear.name].reads):
        raise ModelError("\n".join(refused))
    settings = cut.settings(settings) if cut else settings
    if settings.family == "dsn":
        model, weights = _build_without_attention(settings, linear, vocab_size, pad_id, tokens, cut, counts)
    else:
        model, weights = _build(settings, linear, vocab_size, pad_id, tokens, start, label_names, cut)
    freeze(model, settings.freeze)
    words = model.bert.word_vectors()
    if isinstance(words, WordVectors):
        weights.notes += words.notes()
    weights.notes += model.notes()
    return (model, weights) if head is linear else (_put_words_head(model, settings, head, weights, cut), weights)


def _build(
    settings: ModelSettings,
    head: HeadSpec,
    vocab_size: int,
    pad_id: int,
    tokens: Tokens | None,
    start: Path | None,
    label_names: Sequence[str],
    cut: Cut | None,
) -> tuple[LinearHead, WeightsReport]:
    """Build a model of any family but dsn (see `_build_without_attention`), before anything is frozen."""
    if settings.family == "ngram":
        return attach_head(*build_bag_of_ngrams(settings, head.deciding), head), WeightsReport()
    if settings.family == "bilstm":
        recurrent = build_bilstm(settings, vocab_size=vocab_size, pad_id=pad_id, tokens=tokens)
        return attach_head(*recurrent, head), WeightsReport()
    if settings.family == "ngram_vectors":
        return attach_head(*build_ngram_vectors(settings, head.outputs), head), WeightsReport()
    if settings.family == CNN:
        return attach_head(*build_cnn(settings, vocab_size), head), WeightsReport()
    if start is not None:
        names = label_names or [f"LABEL_{place}" for place in range(head.outputs)]
        return transfer_weights(settings, start, head, label_names=names, vocab_size=vocab_size, tokens=tokens, cut=cut)
    source = settings.pretrained
    if not source:
        check_source(settings)
        fresh = build_bert(settings, vocab_size=vocab_size, pad_id=pad_id, tokens=tokens)
        return attach_head(*fresh, head), WeightsReport()
    config = check_source(settings)
    settings, told = with_own_readout(settings, config)
    with malformed_as_model_error(f"{PRETRAINED}={source}"):
        if is_our_encoder(config):
            model, weights = start_from_bert(
                settings, config, head, vocab_size=vocab_size, pad_id=pad_id, tokens=tokens, cut=cut
            )
        else:
            model, weights = start_from_transformers(settings, config, head, vocab_size=vocab_size, cut=cut)
    weights.notes += told
    if "auto_map" in config:
        weights.notes.append(f"{source} brings its own code; transformers' own {config['model_type']} is used instead")
    return model, weights


def _build_without_attention(
    settings: ModelSettings,
    head: HeadSpec,
    vocab_size: int,
    pad_id: int,
    tokens: Tokens | None,
    cut: Cut | None,
    counts: Counts,
) -> tuple[LinearHead, WeightsReport]:
    """Build a model of word vectors without an encoder (family dsn), before anything is frozen."""
    if settings.pretrained:
        settings = replace(settings, dims=check_static(settings.pretrained, settings.dims))
    bag, architecture = build_bag_of_words(settings, vocab_size=vocab_size, pad_id=pad_id, tokens=tokens)
    model = attach_head(bag, architecture, head)
    if settings.pretrained:
        return model, start_from_table(bag.embeddings, settings, vocab_size, counts, cut)
    if settings.init in ENCODER_INITS:
        return model, start_from_encoder(bag.embeddings, settings, tokens or tuple, counts, open_encoder)
    return model, start_word_vectors(bag.embeddings, settings, vocab_size, cut)


def open_encoder(source: str) -> tuple[Network, WeightsReport]:
    """Open the encoder of a hub id or folder, with a readout that keeps the state of every token."""
    settings = ModelSettings(name="auto", family="auto", readout={"name": "none"}, pretrained=source)
    return _build(settings, HeadSpec("token"), 1, 0, None, None, (), None)


def _put_words_head(
    model: LinearHead, settings: ModelSettings, head: HeadSpec, weights: WeightsReport, cut: Cut | None
) -> MaskedLM:
    """Replace the model's head with a masked-language-model head, from the checkpoint if possible; update the report.

    This comes last because the head may copy the word vectors. Raises ModelError for models that cannot be trained on
    masked words.
    """
    bert = model.bert
    if not isinstance(bert, Bert) or (bert.encoder is None and not isinstance(bert, BagOfWords)):
        raise ModelError(
            f"task=mlm trains our own BERT, or word vectors alone (model=dsn), but model={settings.name} is another "
            "kind. Try: run task=mlm model=bert-tiny"
        )
    if head.output == "tied" and not isinstance(bert.embeddings.word_embeddings, nn.Embedding):
        raise ModelError(
            "task.output=tied shares the table of word vectors, but hash embeddings have none. "
            "Try: task.output=fixed (the hash vectors themselves), or task.output=own (a table that is trained)"
        )
    words = MaskedLM(bert, model.architecture, head)
    if settings.pretrained:
        load_word_head(words, settings.pretrained, weights, cut)
    return words
