"""EELBERT's embedding: no table, every word vector is computed from the letters of its token (ngrams.py).

Not in the file, not a parameter, never trained. `mode` says when it is computed: for all tokens once (cached, which
gives the memory back that the file saved), for each batch (on_the_fly), or for the distinct tokens of each batch
(unique). All three give the same numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.capabilities import Observed
from models.embeddings.base import ComputedVectors, Tokens
from models.embeddings.ngrams import PRIME, encode_letters, hash_multipliers, ngram_vectors
from models.errors import ModelError

MODES = ("cached", "unique", "on_the_fly")
CHOICES = {
    "marker": ("keep", "strip", "flag"),
    "mode": MODES,
    "align": (None, "linear", "merged"),
}
CHUNK = 4096  # rows computed in one go, so that building the table needs little memory


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
            check(value in CHOICES[option], option, value, f"one of {', '.join(known)}", known[0])
        check(1 <= ngrams <= 16, "ngrams", ngrams, "1 to 16", 3)
        check(1 <= buckets < PRIME // 2, "buckets", buckets, f"1 to {PRIME // 2 - 1}", 1000003)
        check(scale > 0, "scale", scale, "more than 0", 0.25)
        check(align_width >= 1, "align_width", align_width, "at least 1", 1)
        check(ridge > 0, "ridge", ridge, "more than 0", 1.0)
        self.vocab_size, self.pad_id, self.mode = vocab_size, pad_id, mode
        self.ngrams, self.buckets, self.marker, self.ridge = ngrams, buckets, marker, ridge
        inner = hidden * align_width if align else hidden
        # NumPy and plain attributes: neither state nor on the device on which transformers makes empty models.
        self.letters = encode_letters([*tokens(), *[""] * vocab_size][:vocab_size], marker) if tokens else None
        self.seeds = hash_multipliers(inner, seed)
        self.fixed_scale = 1.0 if train_scale else scale
        self.scale = nn.Parameter(torch.full((1,), scale)) if train_scale else None
        self.align = nn.Linear(inner, hidden, bias=False) if align else None
        if self.align is not None and align == "merged":  # stored with the model, but not trained
            weight = self.align.weight.detach()
            del self.align.weight
            self.align.register_buffer("weight", weight)
        self._table: Tensor | None = None
        self._unique_rows: int | None = None

    def forward(self, ids: Tensor) -> Tensor:
        """ids of any shape to (..., hidden)."""
        if self.mode == "cached":
            rows = F.embedding(ids, self.table(ids.device))
        elif self.mode == "unique":
            distinct, places = torch.unique(ids, return_inverse=True)
            rows = F.embedding(places, self.rows(distinct))
        else:
            rows = self.rows(ids.flatten()).view(*ids.shape, -1)
        if self.scale is not None:
            rows = rows * self.scale
        return rows if self.align is None else self.align(rows)

    @torch.no_grad()
    def rows(self, ids: Tensor) -> Tensor:
        """The vectors of token ids (N,), (N, d), before a trained scale and alignment."""
        if self.letters is None:
            raise ModelError(
                "this embedding is computed from its tokens' letters, and it was built without a tokenizer"
            )
        chosen = torch.from_numpy(self.letters)[ids.cpu()].to(ids.device, torch.int64)
        return self.compute(chosen, self.seeds.to(ids.device)) * self.fixed_scale * (ids != self.pad_id).unsqueeze(1)

    def compute(self, letters: Tensor, multipliers: Tensor) -> Tensor:
        """The vectors (N, d) of tokens with these letters (N, longest)."""
        return ngram_vectors(letters, multipliers, self.buckets, self.ngrams)

    def table(self, device: torch.device) -> Tensor:
        """The vectors of all tokens, (V, d), computed at the first call."""
        if self._table is None:
            ids = torch.arange(self.vocab_size, device="cpu")
            self._table = torch.cat([self.rows(part) for part in ids.split(CHUNK)])
        if self._table.device != device:
            self._table = self._table.to(device)
        return self._table

    @torch.no_grad()
    def start_from(self, words: Tensor) -> None:
        """Fit the alignment to a checkpoint's table (V or more, H): ridge regression on our vectors, token by token."""
        if self.align is None:
            return
        made = self.table(words.device).double()
        wanted = words[: self.vocab_size].double()
        square = made.T @ made + self.ridge * torch.eye(made.shape[1], dtype=torch.float64)
        self.align.weight.copy_(torch.linalg.solve(square, made.T @ wanted).T)
        if self.mode != "cached":
            self._table = None

    def unique_rows(self) -> int:
        """Tokens that have a vector of their own; the others share one."""
        if self._unique_rows is None:
            had = self._table
            whole = np.ascontiguousarray(self.table(torch.device("cpu")).numpy())
            self._unique_rows = len(np.unique(whole.view(np.dtype((np.void, whole[0].nbytes))).ravel()))
            self._table = had
        return self._unique_rows

    def notes(self) -> list[str]:
        """What the user must be told once."""
        if self.marker != "strip":
            return []
        lost = self.vocab_size - self.unique_rows()
        return [f"model.embedding.marker=strip: {lost:,} of {self.vocab_size:,} tokens share another token's vector"]

    def facts(self) -> dict[str, float]:
        """Tokens with a vector of their own, and the scale where it is trained."""
        found = {"hash/unique_rows": float(self.unique_rows())}
        return found if self.scale is None else found | {"hash/scale": float(self.scale)}

    def regenerable_bytes(self) -> dict[str, int]:
        """Bytes in memory that no file holds, by mode: the table, or the letters it is made of."""
        inner = 0 if self.letters is None else self.letters.nbytes
        return {mode: 4 * self.vocab_size * len(self.seeds) if mode == "cached" else inner for mode in MODES}


def check(is_good: bool, option: str, value: Any, expected: str, cure: Any) -> None:
    """ModelError with the option's name unless `is_good`."""
    if not is_good:
        raise ModelError(f"model.embedding.{option}={value}: expected {expected}. Try: model.embedding.{option}={cure}")
