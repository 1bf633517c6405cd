"""Averages the vectors of a text's n-grams, from a table with a row for each n-gram that occurs in enough texts.

Joulin et al. 2016, fastText (arXiv 1607.01759). There, word pairs share hashed buckets; here, each kept n-gram has its
own row, found by its hash, and counts once per text. With a linear head, this is a linear model, and is converted to
one after training: runner/training/ngram/fold.py.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.backbones.base import Backbone
from models.backbones.dropout import TokenDropout
from models.backbones.hooks import LayerHook, Wanted
from models.capabilities import Folded
from models.heads.linear import LinearHead
from models.json_types import JsonObject
from models.ngrams.fingerprints import find_grams
from models.parts import make_readout
from models.settings import ModelSettings

FOUND = 1 << 32  # larger than any hash: an input of FOUND + i means row i, which was looked up before


class NgramVectors(Backbone, Folded):
    """Represents a text by the mean of its distinct n-grams' rows; zeros if no n-gram is known."""

    hashes: Tensor  # (rows,) int64, ascending

    def __init__(self, n: int, hidden: int, token_dropout: float) -> None:
        """n: words in the longest n-gram. The rows are made by `keep`."""
        super().__init__()
        self.n, self.hidden = n, hidden
        self.pooler = make_readout({"name": "mean"}, hidden, 0)
        self.token_dropout = TokenDropout(token_dropout)
        self.register_buffer("hashes", torch.zeros(0, dtype=torch.int64))
        self.rows = nn.Embedding(1, hidden)

    def keep(self, hashes: np.ndarray) -> None:
        """Make a row for each n-gram, given their ascending hashes (rows,); uniform in +-1/hidden, as in fastText.

        Rows are drawn on the CPU, so that a seed gives the same rows everywhere, then moved to the model's device.
        """
        device = self.rows.weight.device
        self.hashes = torch.from_numpy(hashes.astype(np.int64)).to(device)
        self.rows = nn.Embedding(len(hashes), self.hidden)
        nn.init.uniform_(self.rows.weight, -1 / self.hidden, 1 / self.hidden)
        self.rows.to(device)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        hooks: Sequence[LayerHook] = (),
        only: Wanted | None = None,
    ) -> Tensor:
        """(B, T) hashes of words, or FOUND + rows, and mask to (B, H); hooks are ignored, as there are no layers."""
        ids = input_ids if attention_mask is None else input_ids * attention_mask
        is_row = ids >= FOUND
        if is_row.any():
            rows, counts = ids[is_row] - FOUND, is_row.sum(1)
        else:
            rows, counts = self._look_up(ids)
        if self.training and self.token_dropout.p:
            rows, counts = self._thinned(rows, counts)
        vectors: Tensor = F.embedding_bag(
            rows, self.rows.weight, counts.cumsum(0) - counts, mode="mean", sparse=self.rows.sparse
        )
        return vectors

    def _look_up(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """The rows of the texts' known n-grams, concatenated, each once per text; and their number per text, (B,)."""
        batch, length = ids.shape
        grams = find_grams(ids.cpu().numpy().ravel().astype(np.uint32), np.repeat(np.arange(batch), length), self.n)
        known = self.hashes.cpu().numpy()
        places = np.minimum(np.searchsorted(known, grams.hashes), len(known) - 1)
        is_hit = known[places] == grams.hashes
        keys = np.unique(grams.rows[is_hit] * len(known) + places[is_hit])
        counts = np.bincount(keys // len(known), minlength=batch)
        return torch.from_numpy(keys % len(known)).to(ids.device), torch.from_numpy(counts).to(ids.device)

    def _thinned(self, rows: Tensor, counts: Tensor) -> tuple[Tensor, Tensor]:
        """Drop a random share of the n-grams."""
        mask = self.token_dropout(rows.shape, rows.device, torch.ones_like(rows))
        is_kept = torch.ones_like(rows, dtype=torch.bool) if mask is None else mask > 0
        texts = torch.repeat_interleave(torch.arange(len(counts), device=counts.device), counts)
        return rows[is_kept], torch.bincount(texts[is_kept], minlength=len(counts))

    def embedding_parts(self) -> list[nn.Module]:
        """The table."""
        return [self.rows]

    def encoder_parts(self) -> list[nn.Module]:
        """The table, the only part."""
        return [self.rows]

    def word_vectors(self) -> nn.Module:
        """The table."""
        return self.rows

    def draw_weights(self, network: nn.Module, architecture: JsonObject) -> None:
        """Set the last layer to zero; `keep` draws the rows."""
        assert isinstance(network, LinearHead)
        nn.init.zeros_(network.classifier.weight)
        nn.init.zeros_(network.classifier.bias)

    def state_shape(self) -> tuple[int, int]:
        """The width of the rows, and 0 layers."""
        return self.hidden, 0


def build_ngram_vectors(settings: ModelSettings, outputs: int) -> tuple[NgramVectors, JsonObject]:
    """A backbone without rows, and its architecture; its width is the larger of model.hidden and the head's outputs."""
    hidden = max(settings.hidden, outputs)
    return NgramVectors(settings.n, hidden, settings.token_dropout), {
        "num_hidden_layers": 0, "hidden_size": hidden, "hidden_dropout_prob": settings.dropout, "readout": "mean",
        "ngram_vectors": {"n": settings.n},
    }  # fmt: skip
