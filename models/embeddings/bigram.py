"""A token table and a bigram table: a token's vector is its own plus that of the bigram with the preceding token.

Bigrams are not listed: a hash maps each to one of `buckets` rows, which several bigrams share (Joulin et al. 2016,
fastText, arXiv 1607.01759). The rows start at zero, so a bigram has no effect until it is trained.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.embeddings.base import Tokens, WordVectors
from models.errors import ModelError, check_option

ENDS = (("[PAD]", "<pad>"), ("[CLS]", "<s>"), ("[SEP]", "</s>"))  # form no bigrams with their neighbours
FIRST, SECOND, PRIME = 1_000_003, 8_191, 2**31 - 1  # for the hash; products with ids stay far below 2**63


class Bigram(WordVectors):
    """The embedding. Its options are those of conf/model/embedding/bigram.yaml."""

    ends: Tensor

    def __init__(self, vocab_size: int, hidden: int, pad_id: int, tokens: Tokens | None, *, buckets: int) -> None:
        super().__init__()
        check_option(1 <= buckets < PRIME, "model.embedding.buckets", buckets, f"1 to {PRIME - 1}", 100000)
        self.words = nn.Embedding(vocab_size, hidden, padding_idx=pad_id)
        self.pairs = nn.Embedding(buckets, hidden)
        self.buckets = buckets
        self.register_buffer("ends", torch.tensor(find_ends(tokens) if tokens else [pad_id] * len(ENDS)))

    def forward(self, ids: Tensor) -> Tensor:
        """Embed ids (B, T), or (T,) of one text, as vectors (..., hidden)."""
        return self.at_places(ids, torch.arange(ids.shape[-1], device=ids.device))

    def at_places(self, ids: Tensor, places: Tensor) -> Tensor:
        """Embed ids (N,) of concatenated texts, or rows (B, T), as (..., hidden); places: (N,) or (T,) in the rows."""
        found: Tensor = self.words(ids) + self.pair_vectors(ids, places == 0)
        return found

    def own_spreads(self) -> dict[nn.Module, float]:
        """The table of pairs starts at zero."""
        return {self.pairs: 0.0}

    def pair_vectors(self, ids: Tensor, is_first: Tensor) -> Tensor:
        """The bigram vectors (..., hidden) for ids (B, T) or (N,); zero for [PAD], [CLS], [SEP] and after them.

        is_first: (T,) or (N,), which tokens begin a text: without special tokens, another text ends right before them.
        """
        is_end = (ids.unsqueeze(-1) == self.ends).any(-1)
        before, is_after_end = ids.roll(1, -1), is_end.roll(1, -1) | is_first
        rows: Tensor = self.pairs((before * FIRST + ids * SECOND) % PRIME % self.buckets)
        return rows.masked_fill((is_end | is_after_end).unsqueeze(-1), 0.0)


def find_ends(tokens: Tokens) -> list[int]:
    """The ids of the padding token and the tokens around a text; ModelError if the vocabulary lacks one."""
    ids = {token: place for place, token in enumerate(tokens())}
    found = [next((ids[name] for name in names if name in ids), None) for names in ENDS]
    known = [place for place in found if place is not None]
    if len(known) < len(ENDS):
        raise ModelError(
            "model/embedding=bigram needs a vocabulary with [PAD], [CLS] and [SEP], or with <pad>, <s> and </s>. "
            "Try: model.tokenizer=train"
        )
    return known
