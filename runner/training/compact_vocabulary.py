"""Compact vocabulary: trains only the rows of the word table that the training split uses.

During training the table is rearranged in place: first padding and the tokens that occur, then the rest, which
optimizer, gradient and clipping skip. The result is exact: a row whose token does not occur has no gradient, adds
nothing to the norm, and under AdamW's decay shrinks by a known product, which `runner/training/flat_optimizer.py`
applies. A quarter to a half of BERT's 30,522 rows occur in one training set, and the table is nine tenths of a tiny
model.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from data.splits import TokenSplit
from models.backbones.bert import Bert
from models.heads.linear import LinearHead
from models.network import Network
from runner.schema import ROW_SGD, OptimizerSettings

CHUNK = 1 << 22  # tokens read at once, so that memory does not grow with the file


@dataclass
class CompactTable:
    """A rearranged word table (V, H), with the trained rows first."""

    embedding: nn.Embedding  # the table itself
    name: str  # of the table's weight within the model
    order: np.ndarray  # (V,) the token id of each row after rearranging
    used: int  # number of trained rows, which come first

    def __post_init__(self) -> None:
        self.lookup = np.empty_like(self.order)  # (V,) the row of each token id
        self.lookup[self.order] = np.arange(len(self.order))
        self._seen = np.zeros(len(self.order), bool)

    @torch.no_grad()
    def arrange(self) -> None:
        """Put the rows in this order; from then on the model takes `lookup[ids]` instead of ids."""
        self._reorder(self.order)

    @torch.no_grad()
    def restore(self) -> None:
        """Put the rows back in the order of the token ids."""
        self._reorder(self.lookup)

    def _reorder(self, rows: np.ndarray) -> None:
        weight = self.embedding.weight
        weight.copy_(weight[torch.from_numpy(rows).to(weight.device)])
        if self.embedding.padding_idx is not None:
            moved = self.lookup if rows is self.order else self.order
            self.embedding.padding_idx = int(moved[self.embedding.padding_idx])

    def by_token(self, weight: Tensor) -> Tensor:
        """Return a copy of a rearranged table in the order of the token ids."""
        return weight.detach()[torch.from_numpy(self.lookup).to(weight.device)]

    def rows_of(self, ids: list[np.ndarray]) -> np.ndarray:
        """Return the distinct rows among ids of the rearranged table, by marking: ten times faster than sorting."""
        for part in ids:
            self._seen[part] = True
        rows = np.flatnonzero(self._seen)
        self._seen[rows] = False
        return rows


def arrange_table(
    model: nn.Module, split: TokenSplit, optimizer: OptimizerSettings, mode: str
) -> tuple[CompactTable | None, str]:
    """Rearrange the model's word table if possible; returns the arrangement or None, and one line for the record.

    mode: engine.compact_vocabulary.
    """
    if mode == "never":
        return None, "never"
    found = find_compact_table(model, split, optimizer)
    if isinstance(found, str):
        return None, found
    found.arrange()
    return found, f"{found.used} of {len(found.order)} rows"


def find_compact_table(model: nn.Module, split: TokenSplit, optimizer: OptimizerSettings) -> CompactTable | str:
    """Return the arrangement for training `model` on `split`, or the reason why there is none.

    Only AdamW's weight decay has a closed form for rows that the optimizer skips.
    """
    if split.augment is not None:
        return "texts are tokenised differently in every epoch, so any row of the table may be needed"
    if optimizer.name == ROW_SGD:
        return f"optimizer={ROW_SGD} touches only the rows of a step anyway"
    found = _own_table(model)
    if isinstance(found, str):
        return found
    name, table = found
    if optimizer.name != "adamw" and optimizer.weight_decay > 0:
        return f"optimizer={optimizer.name} with weight decay moves every row at every step"
    order, used = order_by_use(split.tokens, table.num_embeddings, table.padding_idx)
    return CompactTable(table, name, order, used)


def _own_table(model: nn.Module) -> tuple[str, nn.Embedding] | str:
    """Return name and module of a word table that only the lookup uses, or the reason why there is none."""
    if isinstance(model, Network) and model.reads_table:
        return "masking puts any word of the vocabulary into a text, and the output scores all of them"
    if not isinstance(model, Network) or not isinstance(model.bert, Bert):
        return "the backbone is another library's, whose parts may read the word table"
    if isinstance(model, LinearHead) and model.added is not None:
        return "n-grams are read from the same token ids"
    table = model.bert.word_vectors()
    if not isinstance(table, nn.Embedding):
        return "the model has no table of word vectors (hash embeddings)"
    if parametrize.is_parametrized(table) or table._forward_pre_hooks or "weight" not in table._parameters:
        return "a compression stage works on the word table"
    if not table.weight.requires_grad:
        return "the word table is frozen"
    names = [name for name, value in model.named_parameters(remove_duplicate=False) if value is table.weight]
    if len(names) > 1:
        return f"the word table is tied to {names[1]}"
    return names[0], table


def order_by_use(tokens: np.ndarray, vocab_size: int, pad_id: int | None) -> tuple[np.ndarray, int]:
    """Return all token ids, (V,) int64, those that occur (and padding) first, and how many those are.

    Each part is in ascending order.
    """
    occurs = np.zeros(vocab_size, bool)
    for start in range(0, len(tokens), CHUNK):
        occurs[np.asarray(tokens[start : start + CHUNK])] = True
    if pad_id is not None:
        occurs[pad_id] = True
    return np.concatenate([np.flatnonzero(occurs), np.flatnonzero(~occurs)]), int(occurs.sum())
