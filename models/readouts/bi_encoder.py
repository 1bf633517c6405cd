"""A bi-encoder: encodes the two texts of a pair separately, then compares their vectors.

    run model=bi-encoder data=stsb

A row is [CLS] u [SEP] v [SEP] as for every other model, so data, files and servers need no other input; it is split
here, before the encoder. Sources: Reimers & Gurevych 2019 (Sentence-BERT, arXiv 1908.10084) for the cosine of mean
vectors, Conneau et al. 2017 (InferSent, arXiv 1705.02364) for the four parts.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from models.errors import check_option
from models.readouts.base import Readout, count_tokens, masked_sum
from models.readouts.pair import PARTS
from models.settings import COSINE


class BiEncoder(Readout):
    """The readout. Its options are those of conf/model/readout/bi_encoder.yaml."""

    texts = 2
    reads_apart = True
    head_dropout = 0.0  # dropping the single cosine would erase the answer

    def __init__(self, hidden: int, layers: int, *, pooling: str, compare: str) -> None:
        super().__init__()
        check_option(pooling in ("mean", "cls"), "model.readout.pooling", pooling, "mean or cls", "mean")
        check_option(compare in (COSINE, "parts"), "model.readout.compare", compare, "cosine or parts", COSINE)
        self.is_cosine, self.first = compare == COSINE, 1 if pooling == "cls" else None
        self.width = 1 if self.is_cosine else PARTS * hidden

    def forward(self, hidden: Tensor, mask: Tensor | None, segments: Tensor | None = None) -> Tensor:
        """Map (B, T, H), one text per row, to (B, H): the mean over real tokens, or the first token's state."""
        if self.first:
            return hidden[:, 0]
        return masked_sum(hidden, mask) / count_tokens(hidden, mask)

    def compare(self, vectors: Tensor) -> Tensor:
        """Map (2B, H), all first texts, then all second texts, to (B, width): cosines, or [u, v, |u - v|, u * v]."""
        first, second = vectors.unflatten(0, (2, -1)).unbind(0)
        if self.is_cosine:
            return F.cosine_similarity(first.float(), second.float(), dim=-1).unsqueeze(-1)
        return torch.cat([first, second, (first - second).abs(), first * second], -1)


def take_apart(
    input_ids: Tensor, attention_mask: Tensor | None, token_type_ids: Tensor | None, *, may_look: bool = True
) -> tuple[Tensor, Tensor]:
    """Split rows of two texts into rows of one: ids and mask, (2B, L) int64, all first texts, then all second texts.

    input_ids, attention_mask, token_type_ids: (B, T), padded on the right. Second texts get the first token of their
    row, [CLS], too. L: the length of the longest text; T if may_look is false, since finding it means reading the data.
    Without segments, as in random inputs for timing, the second half of a row is its second text.
    """
    rows, length = input_ids.shape
    places = torch.arange(length, device=input_ids.device)
    real = torch.ones_like(input_ids) if attention_mask is None else attention_mask
    if token_type_ids is None:
        token_type_ids = (places >= length - length // 2).long().expand(rows, length)
    ends = real.sum(1, keepdim=True)
    begins = ends - (token_type_ids * real).sum(1, keepdim=True)  # where the second text begins
    index = torch.cat([places.expand(rows, length), torch.where(places == 0, 0, places + begins - 1)])
    mask = torch.cat([places < begins, index[rows:] < ends]).long()
    if may_look:
        longest = mask.sum(1).max().clamp(min=2).item()  # [CLS], [SEP]; a graph traced with one token fits no others
        if torch.compiler.is_exporting():
            torch._check(longest >= 2)
            torch._check(longest <= length)
        index, mask = index[:, :longest], mask[:, :longest]
    return input_ids.repeat(2, 1).gather(1, index.clamp(max=length - 1)), mask


def in_batches(ids: Tensor, mask: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the texts that `take_apart` returns, (2B, L), in the batches that are cheapest to encode.

    If one side is at most half as wide as the other, first and second texts are separate batches, each as wide as its
    longest text: otherwise queries would be padded to the length of documents. Else all texts are one batch.
    """
    sides = list(zip(ids.chunk(2), mask.chunk(2), strict=True))
    widths = [int(real.sum(1).max().clamp(min=2)) for _, real in sides]
    if 2 * min(widths) > max(widths):
        yield ids, mask
        return
    for (tokens, real), width in zip(sides, widths, strict=True):
        yield tokens[:, :width], real[:, :width]
