"""Initialises a static model's word vectors from a published table, or from an encoder's vectors for each token."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from models.architecture import check_vocabulary
from models.backbones.bag_of_words import WORDS, principal_directions
from models.backbones.bert_embeddings import Embeddings
from models.checkpoints.cut import Cut
from models.checkpoints.encoder_vectors import encoder_tokenizer, encoder_vectors
from models.checkpoints.read import WeightsReport
from models.checkpoints.static import read_static
from models.embeddings.base import Tokens
from models.errors import ModelError
from models.network import Network
from models.settings import INIT_FROM, PRETRAINED, ModelSettings

SIF = 1e-3  # a in the weight a / (a + p) of a token with relative frequency p (Arora et al. 2017)
Counts = Callable[[], Sequence[int]]  # how often each token occurs in the training texts


def start_from_table(
    embeddings: Embeddings, settings: ModelSettings, vocab_size: int, counts: Counts, cut: Cut | None = None
) -> WeightsReport:
    """Fill the word table from the first columns of `settings.pretrained`; ModelError if that has fewer tokens."""
    source = settings.pretrained or ""
    vectors, fingerprint = read_static(source)
    if cut:
        check_vocabulary(source, len(vectors), int(cut.kept[-1]) + 1)
        vectors = vectors[torch.from_numpy(cut.kept)]
    is_padded = len(vectors) == vocab_size - 1  # the extra id is for padding, if the vocabulary has no padding token
    check_vocabulary(source, len(vectors) + is_padded, vocab_size)
    report = WeightsReport(source=source, fingerprint=fingerprint, loaded=[WORDS])
    return _filled(embeddings, vectors[:vocab_size, : embeddings.width], settings, counts, report)


def start_from_encoder(
    embeddings: Embeddings,
    settings: ModelSettings,
    tokens: Tokens,
    counts: Counts,
    open_encoder: Callable[[str], tuple[Network, WeightsReport]],
) -> WeightsReport:
    """Fill the word table with an encoder's vectors, of the kind `settings.init`, projected by PCA.

    Mean and directions come from ordinary tokens; special tokens get zeros. open_encoder: opens a hub id or folder.
    Raises ModelError if the encoder is narrower, or has fewer ordinary tokens, than the table is wide.
    """
    source, names = settings.init_from or "", list(tokens())
    encoder, weights = open_encoder(source)
    backend = encoder_tokenizer(source)
    vectors, is_ordinary = encoder_vectors(encoder.eval(), backend, names, settings.init)
    if vectors.shape[1] < embeddings.width or int(is_ordinary.sum()) < embeddings.width:
        most = min(vectors.shape[1], int(is_ordinary.sum()))
        raise ModelError(
            f"{INIT_FROM}={source}: has {int(is_ordinary.sum()):,} vectors of {vectors.shape[1]} dimensions, but the "
            f"table needs {embeddings.width} directions of them. Try: model.dims={most}"
        )
    ordinary = vectors[is_ordinary]
    projected = (vectors - ordinary.mean(0)) @ principal_directions(ordinary, embeddings.width)
    projected[~is_ordinary] = 0.0
    # Not a fingerprint of the projection, whose last bits depend on the machine.
    texts = (repr(names), backend.to_str())  # the tokens, and how the encoder spells them
    content = " ".join([weights.fingerprint, settings.init, *(hashlib.sha256(t.encode()).hexdigest() for t in texts)])
    report = WeightsReport(source=source, fingerprint=hashlib.sha256(content.encode()).hexdigest(), loaded=[WORDS])
    return _filled(embeddings, projected, settings, counts, report)


@torch.no_grad()
def _filled(
    embeddings: Embeddings, vectors: Tensor, settings: ModelSettings, counts: Counts, report: WeightsReport
) -> WeightsReport:
    """Copy the vectors into the table, weighted by frequency if word_weights=sif; the padding row stays zero."""
    table = embeddings.word_embeddings
    if not isinstance(table, nn.Embedding):
        raise ModelError(f"{PRETRAINED}={report.source}: fills a plain table. Try: model/embedding=table")
    if settings.word_weights == "sif":
        shares = torch.tensor(counts(), dtype=torch.float32)[: len(vectors)]
        vectors = vectors * (SIF / (SIF + shares / shares.sum().clamp(min=1))).unsqueeze(1)
    table.weight[: len(vectors)] = vectors
    if table.padding_idx is not None:
        table.weight[table.padding_idx].zero_()
    report.new = ["classifier.weight", "classifier.bias"]
    return report
