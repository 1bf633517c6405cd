"""EELBERT's embedding: instead of a table, every word vector is computed from the letters of its token (ngrams.py).

The vectors are not parameters: they are never saved or trained. `mode` says when they are computed: once for all tokens
(cached, which needs as much memory as a table), for each batch (on_the_fly), or for the distinct tokens of each batch
(unique). All three give the same numbers.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.capabilities import Observed
from models.embeddings.base import ComputedVectors, Tokens
from models.embeddings.ngrams import PRIME, encode_letters, hash_multipliers, ngram_vectors
from models.errors import ModelError, check_option

MODES = ("cached", "unique", "on_the_fly")
CHOICES = {
    "marker": ("keep", "strip", "flag"),
    "mode": MODES,
    "align": (None, "linear", "merged"),
}
OPTION = "model.embedding."
CHUNK = 4096  # rows computed at a time, to limit the memory for building the table


class Hash(ComputedVectors, Observed):
    """The embedding. Its options are those of conf/model/embedding/hash.yaml."""

    def __init__(
        self, vocab_size: int, hidden: int, pad_id: int, tokens: Tokens | None, *, ngrams: int, buckets: int,
        seed: int, marker: str, scale: float, train_scale: bool, mode: str, align: str | None, align_width: int,
        ridge: float,
    ) -> None:  # fmt: skip
        super().__init__()
        for option, value in (("marker", marker), ("mode", mode), ("align", align)):
            known = [str(choice or "null") for choice in CHOICES[option]]
            check_option(value in CHOICES[option], OPTION + option, value, f"one of {', '.join(known)}", known[0])
        check_option(1 <= ngrams <= 16, OPTION + "ngrams", ngrams, "1 to 16", 3)
        check_option(1 <= buckets < PRIME // 2, OPTION + "buckets", buckets, f"1 to {PRIME // 2 - 1}", 1000003)
        check_option(scale > 0, OPTION + "scale", scale, "more than 0", 0.25)
        check_option(align_width >= 1, OPTION + "align_width", align_width, "at least 1", 1)
        check_option(ridge > 0, OPTION + "ridge", ridge, "more than 0", 1.0)
        self.vocab_size, self.pad_id, self.mode = vocab_size, pad_id, mode
        self.ngrams, self.buckets, self.marker, self.ridge = ngrams, buckets, marker, ridge
        inner = hidden * align_width if align else hidden
        # NumPy arrays and plain attributes are neither saved nor on the meta device of transformers' empty models.
        self.letters = encode_letters([*tokens(), *[""] * vocab_size][:vocab_size], marker) if tokens else None
        self.multipliers = hash_multipliers(inner, seed)
        self.fixed_scale = 1.0 if train_scale else scale
        self.scale = nn.Parameter(torch.full((1,), scale)) if train_scale else None
        self.align = nn.Linear(inner, hidden, bias=False) if align else None
        if self.align is not None and align == "merged":  # saved with the model, but not trained
            weight = self.align.weight.detach()
            del self.align.weight
            self.align.register_buffer("weight", weight)
        self._table: Tensor | None = None
        self._unique_rows: int | None = None

    def forward(self, ids: Tensor) -> Tensor:
        """Embed token ids of any shape as vectors (..., hidden)."""
        if self.mode == "cached":
            rows = F.embedding(ids, self.table(ids.device))
        elif self.mode == "unique":
            distinct, places = torch.unique(ids, return_inverse=True)
            rows = F.embedding(places, self.vectors_of(distinct))
        else:
            rows = self.vectors_of(ids.flatten()).view(*ids.shape, -1)
        if self.scale is not None:
            rows = rows * self.scale
        return rows if self.align is None else self.align(rows)

    @torch.no_grad()
    def vectors_of(self, ids: Tensor) -> Tensor:
        """Compute the vectors (N, d) of token ids (N,), before any trained scale and alignment."""
        if self.letters is None:
            raise ModelError(
                "this embedding is computed from its tokens' letters, but it was built without a tokenizer"
            )
        chosen = torch.from_numpy(self.letters)[ids.cpu()].to(ids.device, torch.int64)
        return (
            self.compute(chosen, self.multipliers.to(ids.device)) * self.fixed_scale * (ids != self.pad_id).unsqueeze(1)
        )

    def compute(self, letters: Tensor, multipliers: Tensor) -> Tensor:
        """Compute the vectors (N, d) of tokens with these letters (N, longest)."""
        return ngram_vectors(letters, multipliers, self.buckets, self.ngrams)

    def table(self, device: torch.device) -> Tensor:
        """Return the vectors of all tokens, (V, d), computed at the first call."""
        if self._table is None:
            ids = torch.arange(self.vocab_size, device="cpu")
            self._table = torch.cat([self.vectors_of(part) for part in ids.split(CHUNK)])
        if self._table.device != device:
            self._table = self._table.to(device)
        return self._table

    @torch.no_grad()
    def start_from(self, words: Tensor) -> None:
        """Fit the alignment to a word table (at least V rows, H) by ridge regression over all tokens."""
        if self.align is None:
            return
        made = self.table(words.device).double()
        wanted = words[: self.vocab_size].double()
        square = made.T @ made + self.ridge * torch.eye(made.shape[1], dtype=torch.float64, device=made.device)
        self.align.weight.copy_(torch.linalg.solve(square, made.T @ wanted).T)
        if self.mode != "cached":
            self._table = None

    def unique_rows(self) -> int:
        """Count the distinct vectors; all further tokens share one of these."""
        if self._unique_rows is None:
            had = self._table
            whole = np.ascontiguousarray(self.table(torch.device("cpu")).numpy())
            self._unique_rows = len(np.unique(whole.view(np.dtype((np.void, whole[0].nbytes))).ravel()))
            self._table = had
        return self._unique_rows

    def notes(self) -> list[str]:
        """Say how many tokens share another's vector because the marker is stripped."""
        if self.marker != "strip":
            return []
        lost = self.vocab_size - self.unique_rows()
        return [f"model.embedding.marker=strip: {lost:,} of {self.vocab_size:,} tokens share another token's vector"]

    def facts(self) -> dict[str, float]:
        """Report the number of distinct vectors, and the scale if it is trained."""
        found = {"hash/unique_rows": float(self.unique_rows())}
        return found if self.scale is None else found | {"hash/scale": float(self.scale)}

    def regenerable_bytes(self) -> dict[str, int]:
        """Count, for each mode, the bytes in memory that are not saved: of the table, or of the tokens' letters."""
        inner = 0 if self.letters is None else self.letters.nbytes
        return {mode: 4 * self.vocab_size * len(self.multipliers) if mode == "cached" else inner for mode in MODES}
