"""BERMo's scalar mix: a learned weighted sum of the states of all layers, then BERT's pooler.

    m = gamma * sum over j of s_j h_j,   s = softmax(w)   (Peters et al. 2018, eq. 1; j = 0 is the embeddings' output)

Kodge & Roy 2021 (arXiv 2110.15802) put it between a BERT and its classifier. The mix is linear and the same for every
token, so only the vectors that are read are mixed: those of the first token, or the means over the text.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.dropout import Dropout
from models.errors import ModelError
from models.readout import counts, masked_sum

GROUP = "model/readout=scalar_mix"
LAST = 20.0  # softmax weight of the last layer under init=last: the others' share is 2e-9 each
CHOICES = {
    "normalize": ("softmax", "none"),
    "where": ("before_pooler", "after_pooler", "no_pooler"),
    "pooling": ("cls", "mean"),
}


class Mix(nn.Module):
    """The mixing weights, trained at `own_lr` and never decayed; they stay fp32 under autocast."""

    def __init__(self, start: list[float], normalize: str, gamma: bool, layer_dropout: float, lr: float | None) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(start))
        self.gamma = nn.Parameter(torch.ones(1)) if gamma else None
        self.normalize, self.layer_dropout, self.own_lr = normalize, layer_dropout, lr

    def shares(self) -> Tensor:
        """s, (layers mixed,)."""
        weight: Tensor = self.weight
        is_softmax = self.normalize == "softmax"
        if self.training and self.layer_dropout:
            dropped = torch.rand_like(weight) < self.layer_dropout
            dropped = dropped & ~dropped.all()  # something must be left to read
            weight = weight.masked_fill(dropped, -math.inf if is_softmax else 0.0)
        return weight.softmax(0) if is_softmax else weight

    def forward(self, vectors: Tensor) -> Tensor:
        """(B, layers mixed, H) to (B, H)."""
        mixed = torch.matmul(self.shares(), vectors.float())
        return mixed if self.gamma is None else self.gamma * mixed


class ScalarMix(nn.Module):
    """The readout. Its options are those of conf/model/readout/scalar_mix.yaml."""

    layers_read = "all"

    def __init__(
        self, hidden: int, layers: int, *, mixed: str | list[int], embeddings: bool, normalize: str, gamma: bool,
        init: str | list[float], layer_norm: bool, dropout: float, layer_dropout: float, lr: float | None,
        where: str, pooling: str,
    ) -> None:  # fmt: skip
        super().__init__()
        for option, value in (("normalize", normalize), ("where", where), ("pooling", pooling)):
            check(value in CHOICES[option], option, value, f"one of {', '.join(CHOICES[option])}", CHOICES[option][0])
        for option, share in (("dropout", dropout), ("layer_dropout", layer_dropout)):
            check(0.0 <= share < 1.0, option, share, "at least 0 and less than 1", 0.0)
        check(lr is None or lr > 0, "lr", lr, "more than 0, or null for the optimizer's", 0.01)
        self.mixed = which(mixed, layers, embeddings)
        self.pooling, self.where, self.layer_norm = pooling, where, layer_norm
        if pooling == "cls":
            self.first = 1
        self.mix = Mix(starts(init, len(self.mixed), normalize), normalize, gamma, layer_dropout, lr)
        self.dense = None if where == "no_pooler" else nn.Linear(hidden, hidden)
        self.dropout = Dropout(dropout)
        self._seen: Tensor | None = None  # the last training step's vectors, for `facts`

    def forward(self, states: list[Tensor], mask: Tensor | None) -> Tensor:
        """layers + 1 states (B, T, H) and the mask (B, T) to (B, H)."""
        vectors = torch.stack([self._read(states[index], mask) for index in self.mixed], 1)
        if self.layer_norm:
            vectors = F.layer_norm(vectors, vectors.shape[-1:])
        if self.training:
            self._seen = vectors.detach()
        if self.dense is not None and self.where == "after_pooler":
            vectors = torch.tanh(self.dense(vectors))
        out: Tensor = self.dropout(self.mix(vectors))
        return torch.tanh(self.dense(out)) if self.dense is not None and self.where == "before_pooler" else out

    def _read(self, state: Tensor, mask: Tensor | None) -> Tensor:
        return state[:, 0] if self.pooling == "cls" else masked_sum(state, mask) / counts(state, mask)

    @torch.no_grad()
    def facts(self) -> dict[str, float]:
        """What the mix has learned, as the `mix/*` metrics; norms (s_j mean |h_j|) are of the last training step."""
        weight = self.mix.weight
        shares = (weight.softmax(0) if self.mix.normalize == "softmax" else weight).tolist()
        found = {f"mix/weight_{index}": share for index, share in zip(self.mixed, shares)}
        found["mix/center"] = sum(index * share for index, share in zip(self.mixed, shares))
        if self.mix.normalize == "softmax":
            found["mix/entropy"] = -sum(share * math.log(share) for share in shares if share > 0)
        if self.mix.gamma is not None:
            found["mix/gamma"] = float(self.mix.gamma)
        if self._seen is not None:
            norms = self._seen.float().norm(dim=-1).mean(0).tolist()
            found |= {f"mix/norm_{index}": share * norm for index, share, norm in zip(self.mixed, shares, norms)}
        return found


def which(mixed: str | list[int], layers: int, embeddings: bool) -> list[int]:
    """The states that are mixed, 0 for the embeddings' output."""
    if mixed == "all":
        return list(range(0 if embeddings else 1, layers + 1))
    chosen = [] if isinstance(mixed, str) else list(mixed)
    fits = all(type(index) is int and 0 <= index <= layers for index in chosen)
    check(bool(chosen) and fits, "mixed", mixed, f"all, or a list of states 0 to {layers}", "all")
    return sorted(set(chosen))


def starts(init: str | list[float], count: int, normalize: str) -> list[float]:
    """The first values of the weights."""
    if init == "uniform":
        return [0.0 if normalize == "softmax" else 1.0 / count] * count
    if init == "last":
        return [0.0] * (count - 1) + [LAST if normalize == "softmax" else 1.0]
    fits = not isinstance(init, str) and len(init) == count
    check(fits, "init", init, f"uniform, last, or a list of {count} numbers", "uniform")
    return [float(value) for value in init]


def check(is_good: bool, option: str, value: Any, expected: str, cure: Any) -> None:
    """ModelError with the option's name unless `is_good`."""
    if not is_good:
        raise ModelError(f"model.readout.{option}={value}: expected {expected}. Try: model.readout.{option}={cure}")
