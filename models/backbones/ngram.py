"""A linear model of n-gram presence: integer weights, looked up by the n-grams' fingerprints, and summed.

It is not trained by gradient descent: runner/training/ngram/ counts and fits, then inserts the result with `fill`. The
linear head above it holds the scale of the integers, the bias and the temperature. A model.bin (models/packed/ngram.py)
computes the same from raw text.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from models.backbones.base import Backbone
from models.backbones.hooks import LayerHook, Wanted
from models.capabilities import Fitted
from models.json_types import JsonObject
from models.ngrams.fingerprints import Grams, bits_for, find_grams, sum_rows, text_grams
from models.ngrams.pairs import PairOptions, pair_grams, split_pairs
from models.parts import make_readout
from models.settings import ModelSettings

READOUT = "sum"


class BagOfNgrams(Backbone, Fitted):
    """Represents a text by one vector: the sum, or with `mean` the mean, of the rows of its n-grams."""

    prints: Tensor  # (n,) int64, ascending fingerprints
    rows: Tensor  # (n, columns) int8

    def __init__(self, options: JsonObject, columns: int) -> None:
        """options: `n`, words in the longest n-gram; `count`, the number of n-grams kept; `pairs`, options for text
        pairs; `mean`; `characters`, the lengths of the shortest and longest character n-gram.

        columns: numbers per row.
        """
        super().__init__()
        self.n, self.bits, count = int(options["n"]), bits_for(int(options["count"])), int(options["count"])
        self.pairs = PairOptions(self.n, **options["pairs"]) if options.get("pairs") else None
        self.characters: tuple[int, int] | None = tuple(options["characters"]) if options.get("characters") else None
        self.is_mean = bool(options.get("mean", False))  # is the sum divided by the number of n-grams found?
        self.pooler = make_readout({"name": READOUT}, columns, 0)
        self.register_buffer("prints", torch.zeros(count, dtype=torch.int64))
        self.rows = nn.Parameter(torch.zeros((count, columns), dtype=torch.int8), requires_grad=False)

    def fill(self, prints: np.ndarray, rows: np.ndarray, *, is_mean: bool = False) -> None:
        """Insert a fitted model's ascending fingerprints (n,) and rows (n, columns), on this module's device."""
        device = self.rows.device
        self.prints = torch.from_numpy(prints.astype(np.int64)).to(device)
        self.rows = nn.Parameter(torch.from_numpy(rows.astype(np.int8)).to(device), requires_grad=False)
        self.bits, self.is_mean = bits_for(len(prints)), is_mean

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        hooks: Sequence[LayerHook] = (),
        only: Wanted | None = None,
    ) -> Tensor:
        """(B, T) hashes of words and mask to (B, columns), sums or means of rows; hooks are ignored (no layers)."""
        ids = input_ids if attention_mask is None else input_ids * attention_mask
        batch, length = ids.shape
        words = ids.cpu().numpy().astype(np.uint32)
        if self.characters and token_type_ids is not None:
            grams = text_grams(words, token_type_ids.cpu().numpy() == 1, self.n)
        elif self.pairs is None:
            grams = find_grams(words.ravel(), np.repeat(np.arange(batch), length), self.n)
        else:
            grams = self._pair_grams(words, token_type_ids, self.pairs)
        prints, table = self.prints.cpu().numpy(), self.rows.cpu().numpy()
        counted = np.concatenate([table, np.ones((len(table), 1), np.int8)], 1) if self.is_mean else table
        found = sum_rows(prints, counted, grams.prints(self.bits).astype(np.int64), grams.rows, batch)
        if self.is_mean:
            found = found[:, :-1] / np.maximum(found[:, -1:], 1)
        return torch.from_numpy(found.astype(np.float32)).to(ids.device)

    def _pair_grams(self, words: np.ndarray, token_type_ids: Tensor | None, options: PairOptions) -> Grams:
        """The features of text pairs, given words (B, T); without segments, all second texts are empty."""
        is_second = np.zeros(words.shape, bool) if token_type_ids is None else token_type_ids.cpu().numpy() == 1
        return pair_grams(split_pairs(words, is_second), options)

    def embedding_parts(self) -> list[nn.Module]:
        """Empty: the rows are not word vectors."""
        return []

    def encoder_parts(self) -> list[nn.Module]:
        """Empty: nothing here can be frozen."""
        return []

    def word_vectors(self) -> nn.Module:
        """The module itself, which holds the row of each n-gram."""
        return self

    def draw_weights(self, network: nn.Module, architecture: JsonObject) -> None:
        """Nothing is drawn: all weights are fitted."""

    def state_shape(self) -> tuple[int, int]:
        """The number of columns, and 0 layers."""
        return self.rows.shape[1], 0


def build_bag_of_ngrams(settings: ModelSettings, columns: int) -> tuple[BagOfNgrams, JsonObject]:
    """A backbone that has yet to be fitted, and its architecture; columns: `deciding` of the head."""
    options: JsonObject = {"n": settings.n, "count": 0, "temperature": 1.0}
    return BagOfNgrams(options, columns), {
        "num_hidden_layers": 0, "hidden_size": columns, "hidden_dropout_prob": 0.0, "readout": READOUT, "ngram": options
    }  # fmt: skip


def rebuild_bag_of_ngrams(architecture: JsonObject) -> tuple[BagOfNgrams, JsonObject]:
    """The backbone that a config.json describes, and its part of the architecture."""
    names = ("num_hidden_layers", "hidden_size", "hidden_dropout_prob", "readout", "ngram")
    own = {name: architecture[name] for name in names}
    return BagOfNgrams(own["ngram"], own["hidden_size"]), own


def columns_of(outputs: int) -> int:
    """The numbers per row: one per class, but only one for two classes or for regression."""
    return 1 if outputs == 2 else outputs
