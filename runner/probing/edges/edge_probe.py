"""The edge probe of Tenney et al. (2019): the labels of spans from the frozen vectors of their tokens.

The token vectors of a span are projected, and averaged by weights that a learned vector gives them; the spans of an
edge stand side by side before a classifier with a sigmoid for each label. Each of the S probes reads a layer, or a
learned weighted mean of several. Sources: arXiv 1905.06316, github.com/nyu-mll/jiant-v1-legacy
(jiant/modules/edge_probing.py), arXiv 1905.05950 for the mixes. Differences: vectors standardised on training rows;
a smaller rate, batch size and width, for speed.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from data.inputs.word_cache import spans
from runner.probing.probe import MLP
from runner.probing.side_by_side import Plan, fit_side_by_side, shuffled_batches

WIDTH = 128  # of a projected token, or H where that is less; theirs 256
DROPOUT = 0.3  # of the hidden layer
RATE = 1e-3  # of Adam; theirs 1e-4
BATCH = 64  # edges
FEWEST_STEPS = 50  # between two evaluations
PLAN = Plan(evaluations=30, patience=4, least_gain=1e-3, factor=0.5)
CHUNK = 512  # edges that are answered at a time


@dataclass(frozen=True)
class Edges:
    """Edges whose tokens have vectors, with their labels."""

    states: np.ndarray  # (tokens, L, H) float16: of each layer
    starts: np.ndarray  # (n, K) int64: the first token of each span, K 1 or 2
    counts: np.ndarray  # (n, K) int64: its tokens
    labels: np.ndarray  # (n, C) float32, 1 for a label of the edge

    def __len__(self) -> int:
        return len(self.labels)

    def tokens(self, chosen: np.ndarray, span: int) -> tuple[Tensor, Tensor]:
        """Return the vectors of the tokens of one span of some edges, (P, L, H), and the edge of each, (P,)."""
        counts = self.counts[chosen, span]
        vectors = self.states[spans(self.starts[chosen, span], counts)].astype(np.float32)
        return torch.from_numpy(vectors), torch.from_numpy(np.repeat(np.arange(len(chosen)), counts))


class EdgeProbes(nn.Module):
    """S probes side by side; reads: (S, L) bool, the layers whose mean each of them reads."""

    mean: Tensor  # (L, H)
    scale: Tensor  # (L, H), the inverse of the standard deviation
    reads: Tensor

    def __init__(self, train: Edges, reads: np.ndarray, form: str) -> None:
        super().__init__()
        (probes, layers), hidden = reads.shape, train.states.shape[2]
        (_, sides), classes, width = train.starts.shape, train.labels.shape[1], min(WIDTH, hidden)
        values = (train.states[start : start + 8192].astype(np.float64) for start in range(0, len(train.states), 8192))
        sums = sum(np.stack([part.sum(0), np.square(part).sum(0)]) for part in values) / len(train.states)
        mean = np.asarray(sums)[0]
        deviation = np.sqrt(np.maximum(np.asarray(sums)[1] - np.square(mean), 0))
        scale = 1 / np.where(deviation > 1e-6, deviation, np.inf)
        # Not parts of the state, in which the first axis is that of the probes.
        for name, array in (("mean", mean.astype(np.float32)), ("scale", scale.astype(np.float32)), ("reads", reads)):
            self.register_buffer(name, torch.from_numpy(array), persistent=False)
        self.scalars = nn.Parameter(torch.zeros(probes, layers))
        self.projections = nn.Parameter(torch.empty(probes, sides, hidden, width).uniform_(-1, 1) / hidden**0.5)
        self.attention = nn.Parameter(torch.zeros(probes, sides, width))  # at first the plain mean
        widths = [sides * width, *([width] if form == MLP else []), classes]
        self.weights = nn.ParameterList(
            nn.Parameter(torch.empty(probes, wide, narrow).uniform_(-1, 1) / wide**0.5)
            for wide, narrow in itertools.pairwise(widths)
        )
        self.biases = nn.ParameterList(nn.Parameter(torch.zeros(probes, 1, narrow)) for narrow in widths[1:])
        self.dropout = nn.Dropout(DROPOUT)
        with torch.no_grad():  # an untrained probe answers by the shares of the labels
            shares = (train.labels.sum(0, dtype=np.float64) + 0.5) / (len(train) + 1)
            self.biases[-1].copy_(torch.from_numpy(np.log(shares / (1 - shares))).expand_as(self.biases[-1]))
            self.weights[-1].zero_()

    def weights_of_layers(self) -> Tensor:
        """Return the weight of each layer in each probe's mean, (S, L); the sum of a probe is 1."""
        return self.scalars.masked_fill(~self.reads, -torch.inf).softmax(-1)

    def forward(self, edges: Edges, chosen: np.ndarray) -> Tensor:
        """Some edges to logits (S, n, C)."""
        sides = range(edges.starts.shape[1])
        states = torch.cat([self._pooled(*edges.tokens(chosen, side), side, len(chosen)) for side in sides], -1)
        for number, (weight, bias) in enumerate(zip(self.weights, self.biases)):
            if number:
                states = self.dropout(nn.functional.layer_norm(torch.tanh(states), states.shape[-1:]))
            states = torch.baddbmm(bias, states, weight)
        return states

    def _pooled(self, tokens: Tensor, owners: Tensor, side: int, count: int) -> Tensor:
        """Vectors of tokens (P, L, H) to those of their spans, (S, count, width)."""
        mixed = torch.einsum("sl,plh->sph", self.weights_of_layers(), (tokens - self.mean) * self.scale)
        states = torch.bmm(mixed, self.projections[:, side])
        scores = torch.bmm(states, self.attention[:, side, :, None]).squeeze(-1)
        places = owners.expand(len(scores), -1)
        highest = torch.full((len(scores), count), -torch.inf).scatter_reduce(1, places, scores.detach(), "amax")
        powers = (scores - highest.gather(1, places)).exp()
        sums = torch.zeros(len(scores), count).index_add(1, owners, powers)
        shares = powers / sums.gather(1, places)
        return torch.zeros(len(scores), count, states.shape[-1]).index_add(1, owners, shares[..., None] * states)

    def loss(self, edges: Edges, chosen: np.ndarray) -> Tensor:
        """Return the mean over edges of the summed cross-entropy of their labels, (S,), in nats."""
        logits = self(edges, chosen)
        labels = torch.from_numpy(edges.labels[chosen]).expand_as(logits)
        return nn.functional.binary_cross_entropy_with_logits(logits, labels, reduction="none").sum(-1).mean(-1)

    @torch.inference_mode()
    def losses(self, edges: Edges) -> np.ndarray:
        """Return the loss of each probe on edges, (S,)."""
        self.eval()
        parts = [(self.loss(edges, chosen).double(), len(chosen)) for chosen in _chunks(edges)]
        return np.asarray(sum(loss * count for loss, count in parts) / len(edges))

    @torch.inference_mode()
    def answers(self, edges: Edges) -> np.ndarray:
        """Return the labels that each probe predicts, (S, n, C) bool: those with a probability above one half."""
        self.eval()
        return torch.cat([self(edges, chosen) > 0 for chosen in _chunks(edges)], 1).numpy()


def _chunks(edges: Edges) -> Iterator[np.ndarray]:
    for start in range(0, len(edges), CHUNK):
        yield np.arange(start, min(start + CHUNK, len(edges)))


def fit_edges(train: Edges, select: Edges, reads: np.ndarray, form: str, seed: int) -> EdgeProbes:
    """Fit probes, each with the weights of its lowest loss on the edges of `select`. reads: (S, L) bool."""
    torch.manual_seed(seed)
    probes = EdgeProbes(train, reads, form)
    batches = shuffled_batches(len(train), BATCH, seed)

    def steps() -> Iterator[Tensor]:
        for chosen in itertools.islice(batches, max(FEWEST_STEPS, len(train) // BATCH)):
            yield probes.loss(train, np.sort(chosen)).sum()

    optimizer = torch.optim.Adam(probes.parameters(), RATE)
    fit_side_by_side(probes, optimizer, PLAN, steps, lambda: probes.losses(select))
    return probes
