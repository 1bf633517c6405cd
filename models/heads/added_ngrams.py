"""A linear model over the n-grams of a text, or of two, whose logits are added to those of a network (model.add=ngram).

It reads the network's token ids: each token is mapped to the hash of its text, from which models/ngrams/ computes the
n-grams of a text or the features of a pair. It is fitted without gradient steps: runner/training/ngram/adding.py.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from models.backbones.ngram import BagOfNgrams, columns_of
from models.heads.linear import LinearHead
from models.json_types import JsonObject
from models.ngrams.fingerprints import hash_of

ADDED = "added"  # the key in an architecture


class AddedNgrams(nn.Module):
    """Maps a text or two, as token ids, to logits; with two classes, the first one's logit is 0."""

    words: Tensor  # (V,) int64, the hash of each token; 0 for special tokens, which are not words
    scale: Tensor  # (columns,) float32, multiplies the sums of int8 rows
    bias: Tensor  # (columns,) float32

    def __init__(self, options: JsonObject, vocab_size: int, outputs: int) -> None:
        """options: those of BagOfNgrams; outputs: of the head."""
        super().__init__()
        columns = columns_of(outputs)
        self.outputs, self.bag = outputs, BagOfNgrams(options, columns)
        self.register_buffer("words", torch.zeros(vocab_size, dtype=torch.int64))
        self.register_buffer("scale", torch.ones(columns))
        self.register_buffer("bias", torch.zeros(columns))

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor | None = None, token_type_ids: Tensor | None = None
    ) -> Tensor:
        """Map ids, mask and segments (B, T) to logits (B, C) float32, on the scale of the head's logits."""
        sums = self.bag(self.words[input_ids], attention_mask, token_type_ids)
        found: Tensor = sums * self.scale + self.bias
        return torch.cat([torch.zeros_like(found), found], -1) if self.outputs == 2 else found

    @torch.no_grad()
    def reorder(self, order: Sequence[int]) -> None:
        """Reorder the outputs; order: their present indices. Two logits keep their difference, not their values."""
        if self.outputs == 2:
            sign = -1 if list(order) == [1, 0] else 1
            self.scale.mul_(sign)
            self.bias.mul_(sign)
            return
        places = torch.tensor(order, device=self.scale.device)
        self.bag.rows.copy_(self.bag.rows[:, places])
        self.scale.copy_(self.scale[places])
        self.bias.copy_(self.bias[places])


def attach_ngrams(model: LinearHead, options: JsonObject) -> AddedNgrams:
    """Make a network add the logits of a model over n-grams; the caller fills that model's tensors."""
    device = model.classifier.get_parameter("bias").device
    added = AddedNgrams(options, model.architecture["vocab_size"], model.spec.outputs).to(device)
    model.added, model.architecture[ADDED] = added, options
    return added


def hashes_of(tokens: Sequence[str], special: frozenset[str]) -> np.ndarray:
    """The hash of each token, (V,) uint32; 0 for special tokens, which are left out of n-grams."""
    return np.array([hash_of(token) if token and token not in special else 0 for token in tokens], np.uint32)
