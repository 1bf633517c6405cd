"""From settings to a model with its first weights: the only place that chooses by the family of a model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from torch import nn

from models.architecture import is_our_encoder
from models.backbones.bag_of_words import build_dsn
from models.backbones.bert import Bert, build_bert
from models.backbones.freeze import freeze
from models.backbones.transformers_backbone import build_auto
from models.checkpoints.read import WeightsReport
from models.checkpoints.source import check_source
from models.checkpoints.start import build_pretrained, load_word_head
from models.checkpoints.transfer import transfer_weights
from models.checkpoints.untrusted import malformed_as_model_error
from models.embeddings.base import Tokens, WordVectors
from models.errors import ModelError
from models.heads.words import MaskedLM
from models.network import SequenceClassifier
from models.settings import PRETRAINED, ModelSettings, contradictions


def build(
    settings: ModelSettings,
    *,
    num_labels: int,
    vocab_size: int,
    pad_id: int = 0,
    tokens: Tokens | None = None,
    start: Path | None = None,
    label_names: Sequence[str] = (),
) -> tuple[SequenceClassifier, WeightsReport]:
    """The model of `settings` and where its weights came from; the caller seeds torch for random weights.

    num_labels: outputs of the head (1 for regression); vocab_size: of the tokenizer in use; tokens: its token of each
    id, for embeddings that read them; start: a saved model whose encoder is trained further
    (models/checkpoints/transfer.py); label_names: in id order, needed where its head is kept too.
    Raises ModelError for parts and sizes that do not fit together and for weights that are unavailable.
    """
    if refused := contradictions(settings):
        raise ModelError("\n".join(refused))
    model, weights = _build(settings, num_labels, vocab_size, pad_id, tokens, start, label_names)
    freeze(model, settings.freeze)
    words = model.bert.word_vectors()
    if isinstance(words, WordVectors):
        weights.notes += words.notes()
    return model, weights


def _build(
    settings: ModelSettings,
    num_labels: int,
    vocab_size: int,
    pad_id: int,
    tokens: Tokens | None,
    start: Path | None,
    label_names: Sequence[str],
) -> tuple[SequenceClassifier, WeightsReport]:
    """The model of its family, before anything is frozen."""
    if settings.family == "dsn":
        return build_dsn(settings, num_labels=num_labels, vocab_size=vocab_size, pad_id=pad_id, tokens=tokens)
    if start is not None:
        names = label_names or [f"LABEL_{place}" for place in range(num_labels)]
        return transfer_weights(settings, start, label_names=names, vocab_size=vocab_size, tokens=tokens)
    source = settings.pretrained
    if not source:
        check_source(settings)
        return build_bert(settings, num_labels, vocab_size, pad_id, tokens), WeightsReport()
    config = check_source(settings)
    with malformed_as_model_error(f"{PRETRAINED}={source}"):
        if is_our_encoder(config):
            model, weights = build_pretrained(settings, config, num_labels, vocab_size, pad_id, tokens)
        else:
            model, weights = build_auto(settings, config, num_labels=num_labels, vocab_size=vocab_size)
    if "auto_map" in config:
        weights.notes.append(f"{source} brings its own code; transformers' own {config['model_type']} is used instead")
    return model, weights


def build_masked(
    settings: ModelSettings, *, vocab_size: int, pad_id: int, output: str, tokens: Tokens | None = None
) -> tuple[MaskedLM, WeightsReport]:
    """The masked-word model of `settings` and where its weights came from; arguments as for `build`.

    output: where the output table comes from, tied | own | fixed. A checkpoint's head for masked words is loaded too.
    Raises ModelError for models that cannot be trained on masked words.
    """
    classifier, weights = build(settings, num_labels=1, vocab_size=vocab_size, pad_id=pad_id, tokens=tokens)
    if not isinstance(classifier.bert, Bert) or classifier.bert.encoder is None:
        raise ModelError(
            f"task=mlm trains our own BERT only, and model={settings.name} is another kind. "
            "Try: run task=mlm model=bert-tiny"
        )
    if output == "tied" and not isinstance(classifier.bert.embeddings.word_embeddings, nn.Embedding):
        raise ModelError(
            "task.output=tied shares the table of word vectors, and hash embeddings have none. "
            "Try: task.output=fixed (the hash vectors themselves), or task.output=own (a table that is trained)"
        )
    model = MaskedLM(classifier.bert, classifier.architecture, output)
    if settings.pretrained:
        load_word_head(model, settings.pretrained, weights)
    return model, weights
