"""BERMo's scalar mix: a learned weighted sum of the states of all layers, then BERT's pooler.

    m = gamma * sum over j of s_j h_j,   s = softmax(w)   (Peters et al. 2018, eq. 1; j = 0 is the embeddings' output)

Kodge & Roy 2021 (arXiv 2110.15802) put it between a BERT and its classifier. The mix is linear and the same for every
token, so only the pooled vectors are mixed: those of the first token, the means over the text, or all tokens.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.backbones.dropout import Dropout
from models.capabilities import Observed
from models.errors import check_option
from models.readouts.base import Readout, count_tokens, masked_sum
from models.readouts.layer_mix import Mix

OPTION = "model.readout."
LAST = 20.0  # the last layer's weight before the softmax under init=last; every other layer gets a share of 2e-9
CHOICES = {
    "normalize": ("softmax", "none"),
    "where": ("before_pooler", "after_pooler", "no_pooler"),
    "pooling": ("cls", "mean", "tokens"),
}


class ScalarMix(Readout, Observed):
    """The readout. Its options are those of conf/model/readout/scalar_mix.yaml."""

    layers_read = "all"

    def __init__(
        self, hidden: int, layers: int, *, mixed: str | list[int], embeddings: bool, normalize: str, gamma: bool,
        init: str | list[float], layer_norm: bool, dropout: float, layer_dropout: float, lr: float | None,
        where: str, pooling: str,
    ) -> None:  # fmt: skip
        super().__init__()
        for option, value in (("normalize", normalize), ("where", where), ("pooling", pooling)):
            check_option(
                value in CHOICES[option],
                OPTION + option,
                value,
                f"one of {', '.join(CHOICES[option])}",
                CHOICES[option][0],
            )
        for option, share in (("dropout", dropout), ("layer_dropout", layer_dropout)):
            check_option(0.0 <= share < 1.0, OPTION + option, share, "at least 0 and less than 1", 0.0)
        check_option(lr is None or lr > 0, OPTION + "lr", lr, "more than 0, or null for the optimizer's", 0.01)
        self.mixed = mixed_layers(mixed, layers, embeddings)
        self.pooling, self.where, self.layer_norm = pooling, where, layer_norm
        if pooling == "cls":
            self.first = 1
        self.keeps_tokens = pooling == "tokens"
        weights = first_weights(init, len(self.mixed), normalize)
        if not isinstance(mixed, str) and not isinstance(init, str):  # each weight is that of the state beside it
            weights = [weights[list(mixed).index(state)] for state in self.mixed]
        first, factor = torch.tensor(weights), torch.ones(1) if gamma else None
        self.mix = Mix(first, self.mixed, gamma=factor, normalize=normalize, layer_dropout=layer_dropout, lr=lr)
        self.dense = None if where == "no_pooler" else nn.Linear(hidden, hidden)
        self.dropout = Dropout(dropout)
        self._seen: Tensor | None = None  # the last training step's vectors, for `facts`

    def forward(self, states: list[Tensor], mask: Tensor | None) -> Tensor:
        """Mix layers + 1 states (B, T, H) under the mask (B, T) into (B, H), or (B, T, H) with pooling=tokens."""
        vectors = torch.stack([self._read(states[index], mask) for index in self.mixed], -2)
        if self.layer_norm:
            vectors = F.layer_norm(vectors, vectors.shape[-1:])
        if self.training:
            self._seen = vectors.detach()
        if self.dense is not None and self.where == "after_pooler":
            vectors = torch.tanh(self.dense(vectors))
        out: Tensor = self.dropout(self.mix(vectors))
        return torch.tanh(self.dense(out)) if self.dense is not None and self.where == "before_pooler" else out

    def _read(self, state: Tensor, mask: Tensor | None) -> Tensor:
        if self.keeps_tokens:
            return state
        return state[:, 0] if self.pooling == "cls" else masked_sum(state, mask) / count_tokens(state, mask)

    @torch.no_grad()
    def facts(self) -> dict[str, float]:
        """Each layer's contribution to the sum: s_j times the mean norm of h_j, over the last training step."""
        if self._seen is None:
            return {}
        shares, norms = self.mix.facts(), self._seen.float().norm(dim=-1).flatten(0, -2).mean(0).tolist()
        return {f"mix/norm_{index}": shares[f"mix/weight_{index}"] * norm for index, norm in zip(self.mixed, norms)}


def mixed_layers(mixed: str | list[int], layers: int, embeddings: bool) -> list[int]:
    """The indices of the states to mix; 0 is the embeddings' output."""
    if mixed == "all":
        return list(range(0 if embeddings else 1, layers + 1))
    chosen = [] if isinstance(mixed, str) else list(mixed)
    fits = all(type(index) is int and 0 <= index <= layers for index in chosen)
    check_option(bool(chosen) and fits, OPTION + "mixed", mixed, f"all, or a list of states 0 to {layers}", "all")
    return sorted(set(chosen))


def first_weights(init: str | list[float], count: int, normalize: str) -> list[float]:
    """The initial weights of the mix."""
    if init == "uniform":
        return [0.0 if normalize == "softmax" else 1.0 / count] * count
    if init == "last":
        return [0.0] * (count - 1) + [LAST if normalize == "softmax" else 1.0]
    fits = not isinstance(init, str) and len(init) == count
    check_option(fits, OPTION + "init", init, f"uniform, last, or a list of {count} numbers", "uniform")
    return [float(value) for value in init]
