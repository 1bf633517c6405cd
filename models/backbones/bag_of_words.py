"""DSN: averages or sums the vectors of a text's words, or returns them all, as the readout says; without attention.

Batches with much padding are computed on their real tokens only.

`width` scales the 128 dimensions of bert-tiny: 0.125 gives 16, or 496,642 parameters with BERT's vocabulary and two
labels. The published DSN also sums over padding; the readout sum_all reproduces that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor

from models.architecture import check_vocabulary, describe_architecture
from models.backbones.bert import Bert
from models.backbones.bert_embeddings import Embeddings
from models.backbones.dropout import TokenDropout
from models.backbones.hooks import LayerHook, Wanted
from models.checkpoints.cut import Cut
from models.checkpoints.digest import tensor_bytes
from models.checkpoints.hub import cures_for
from models.checkpoints.read import POSITIONS, SEGMENTS, WeightsReport, read_state, rename_bert_tensors
from models.embeddings.base import Tokens
from models.errors import ModelError
from models.json_types import JsonObject
from models.parts import make_readout
from models.readouts.base import Readout, count_tokens
from models.readouts.pair import Pair, text_weights
from models.readouts.pooling import SumPooler
from models.settings import INIT_FROM, ModelSettings

PREFIX = "bert.embeddings."
WORDS = f"{PREFIX}word_embeddings.weight"
TABLES = (WORDS, POSITIONS, SEGMENTS)
NORM = (f"{PREFIX}LayerNorm.weight", f"{PREFIX}LayerNorm.bias")

# From this share of real tokens on, computing the padding is faster than removing it. Measured on one thread, batch 32:
# with half the positions real (IMDB in random order), removing it trains 1.05x as fast at width 16 and 1.4x at 128;
# with 98 % real (batches grouped by length), 0.77x and 0.93x.
MOST_REAL = 0.7


class BagOfWords(Bert):
    """A BERT's embeddings and readout with nothing between them."""

    def __init__(self, embeddings: Embeddings, pooler: Readout, token_dropout: float) -> None:
        super().__init__(embeddings, None, pooler)
        self.token_dropout = TokenDropout(token_dropout)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        hooks: Sequence[LayerHook] = (),
        only: Wanted | None = None,
    ) -> Tensor:
        """(B, T) ids or (B, T, F) frames, mask and segments to (B, H); only `after_last` of hooks is called."""
        is_plain = not hooks and only is None
        if is_plain and attention_mask is not None and self.is_worth_unpadding(attention_mask):
            return self.unpadded(input_ids, attention_mask, token_type_ids)
        mask = self.token_dropout(input_ids.shape[:2], input_ids.device, attention_mask)
        return self.read_last(self.embeddings(input_ids, token_type_ids), mask, token_type_ids, hooks, only)

    def is_worth_unpadding(self, attention_mask: Tensor) -> bool:
        """Is removing the padding faster? Never on CUDA, where it must wait for the device; never during export."""
        if attention_mask.is_cuda or torch.compiler.is_exporting() or not isinstance(self.pooler, SumPooler | Pair):
            return False
        return int(attention_mask.sum()) < MOST_REAL * attention_mask.numel()

    def unpadded(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor | None) -> Tensor:
        """Embed real tokens only, then sum them by row: (B, H)."""
        weights = self.token_dropout(attention_mask.shape, attention_mask.device, attention_mask)
        places = attention_mask.flatten().nonzero().squeeze(1)
        rows = places // input_ids.shape[1]
        segments = None if token_type_ids is None else token_type_ids.flatten()[places]
        hidden = self.embeddings.embed_tokens(
            input_ids.flatten(0, 1)[places], places - rows * input_ids.shape[1], segments
        )
        if weights is not attention_mask:
            hidden = hidden * weights.flatten()[places].unsqueeze(1)
        sums = rows * self.pooler.texts if segments is None or self.pooler.texts == 1 else rows * 2 + segments
        summed = hidden.new_zeros(len(input_ids) * self.pooler.texts, hidden.shape[1], dtype=torch.float32)
        summed.index_add_(0, sums, hidden.float())  # in bf16, a long sum would lose its last tokens
        if isinstance(self.pooler, Pair):
            counts = text_weights(weights.to(hidden.dtype), token_type_ids).sum(-1, keepdim=True)
            return self.pooler.from_sums(summed.view(len(input_ids), 2, -1), counts)
        return cast(SumPooler, self.pooler).scale(summed, count_tokens(hidden, weights))


def build_bag_of_words(
    settings: ModelSettings, *, vocab_size: int, pad_id: int, tokens: Tokens | None = None
) -> tuple[BagOfWords, JsonObject]:
    """A DSN without a head, and its architecture; `draw_weights` must be called later."""
    hidden = settings.dims or int(settings.hidden * settings.width)
    if hidden < 1:
        raise ModelError(
            f"model.width={settings.width:g} of {settings.hidden} dimensions leaves none. "
            f"Try: model.width={1 / settings.hidden:g}"
        )
    embeddings = Embeddings(settings, vocab_size, hidden, pad_id, tokens)
    bert = BagOfWords(embeddings, make_readout(settings.readout, hidden, 0), settings.token_dropout)
    return bert, describe_architecture(settings, hidden, vocab_size, pad_id)


@torch.no_grad()
def start_word_vectors(
    embeddings: Embeddings, settings: ModelSettings, vocab_size: int, cut: Cut | None = None
) -> WeightsReport:
    """Fill the tables from `init_from`, cut (init=slice) or projected (init=pca) to their width.

    init=random leaves them. Raises ModelError if the checkpoint's word vectors are missing, too few or too narrow.
    """
    if settings.init == "random":
        return WeightsReport()
    source, hidden = _source(settings), embeddings.width
    state = rename_bert_tensors(read_state(source, INIT_FROM))
    if cut and WORDS in state:
        check_vocabulary(source, len(state[WORDS]), int(cut.kept[-1]) + 1)
        state[WORDS] = state[WORDS][torch.from_numpy(cut.kept)]
    _check(state.get(WORDS), source, vocab_size, hidden, settings)
    tables = _cut(state, hidden) if settings.init == "slice" else _rotated(state, hidden)
    own, digest = embeddings.state_dict(prefix=PREFIX), hashlib.sha256()
    tables = {name: tensor for name, tensor in tables.items() if name in own}  # norm=none has no norm to fill
    for name, tensor in tables.items():
        rows = min(len(own[name]), len(tensor))
        own[name][:rows] = tensor[:rows]
        digest.update(tensor_bytes(own[name]))
    return WeightsReport(
        source=source,
        fingerprint=digest.hexdigest(),
        loaded=sorted(tables),
        new=[name for name in (*own, "classifier.weight", "classifier.bias") if name not in tables],
        ignored=sorted(state.keys() - tables.keys()),
    )


def _cut(state: dict[str, Tensor], hidden: int) -> dict[str, Tensor]:
    """The first `hidden` dimensions of every embedding tensor in the checkpoint."""
    return {name: state[name][..., :hidden] for name in (*TABLES, *NORM) if name in state}


def _rotated(state: dict[str, Tensor], hidden: int) -> dict[str, Tensor]:
    """All tables, projected onto the first `hidden` principal components of the centred words.

    The norm is left out: its scales belong to the original dimensions.
    """
    basis = principal_directions(state[WORDS], hidden)
    centred = {WORDS: state[WORDS] - state[WORDS].mean(0)}
    return {name: (state | centred)[name] @ basis for name in TABLES if name in state}


def _source(settings: ModelSettings) -> str:
    if settings.init_from is None:
        raise ModelError(
            f"model.init={settings.init} needs a checkpoint to take the word vectors from. "
            f"Try: {INIT_FROM}=sentence-transformers/all-MiniLM-L6-v2"
        )
    if settings.tokenizer == "train":
        raise ModelError(
            f"model.tokenizer=train makes a new vocabulary, which {settings.init_from} has no vectors for. "
            f"Try: model.tokenizer={settings.init_from}"
        )
    return settings.init_from


def _check(words: Tensor | None, source: str, rows: int, hidden: int, settings: ModelSettings) -> None:
    """ModelError unless the checkpoint has enough word vectors and they are wide enough."""
    if words is None:
        raise ModelError(f"{INIT_FROM}={source}: holds no word vectors of a BERT. {cures_for(INIT_FROM)}")
    if len(words) < rows:
        raise ModelError(
            f"{INIT_FROM}={source}: has {len(words):,} word vectors, but the tokenizer has {rows:,} tokens. "
            f"Try: model.tokenizer={source}"
        )
    if words.shape[1] < hidden:
        raise ModelError(
            f"{INIT_FROM}={source}: is {words.shape[1]} wide, but the DSN {hidden}. "
            f"Try: model.width={words.shape[1] / settings.hidden:g}"
        )


def principal_directions(words: Tensor, count: int) -> Tensor:
    """The `count` principal directions of the rows of `words` (V, H), largest variance first, as columns (H, count)."""
    centred = (words - words.mean(0)).double()
    # The covariance is only H x H, so there is no need to decompose the whole table.
    _, directions = torch.linalg.eigh(centred.T @ centred)
    largest = directions[:, -count:].flip(1)
    # The sign of a direction is arbitrary; without this, it would depend on the linear-algebra library.
    signs = largest.gather(0, largest.abs().argmax(0, keepdim=True)).sign()
    return (largest * signs).float()
