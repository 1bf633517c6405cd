"""Probes: small classifiers of fixed vectors, of many layers at once.

The probes of S layers learn in parallel (side_by_side.py), independently of each other.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from runner.probing.side_by_side import Plan, fit_side_by_side, shuffled_batches

LINEAR, MLP = "linear", "mlp"
BATCH = 256  # rows of a step
EVALUATIONS = 100  # on the selection rows, at most: one after each epoch
PATIENCE = 5  # evaluations of a layer without a lower loss
# Few rows are memorised within 20 steps, so they are evaluated after each epoch too, though it is only a step or two.
FEWEST_STEPS = 2  # between two evaluations
PATIENCE_STEPS = 100  # at least; where an epoch is short, both numbers of evaluations grow for that
LEAST_GAIN = 1e-3  # nats
SOLVED = 0.02  # nats: a loss with nothing left to gain
RATE = 3e-3  # of Adam


@dataclass(frozen=True)
class Rows:
    """Sentences or words as vectors, with their labels."""

    vectors: np.ndarray  # (n, S, H) float16 or float32: of each layer
    labels: np.ndarray  # (n,) int64
    sentences: np.ndarray | None = None  # (n,) int64: the sentence of each word; None if a row is a sentence

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, chosen: np.ndarray) -> Rows:
        """Return some of the rows."""
        sentences = None if self.sentences is None else self.sentences[chosen]
        return Rows(self.vectors[chosen], self.labels[chosen], sentences)


Splits = dict[str, Rows]  # train, select (which chooses epoch and penalty) and report


@dataclass(frozen=True)
class ProbeOptions:
    """How probes are fitted. Sources: SentEval's protocol for probing tasks (Conneau et al. 2018, arXiv 1805.01070)."""

    form: str = LINEAR  # linear: multinomial logistic regression; mlp: one hidden layer of sigmoids
    width: int = 50  # of the hidden layer
    dropout: float = 0.0
    penalty: float = 1e-5  # L2, on all weights
    batch: int = BATCH
    passes: int = 1  # over the rows between two evaluations
    evaluations: int = EVALUATIONS

    def steps(self, rows: int) -> int:
        """Return the steps from one evaluation to the next."""
        return max(FEWEST_STEPS, self.passes * rows // self.batch)

    def plan(self, rows: int) -> Plan:
        """Return when probes of this many training rows stop."""
        more = max(1, math.ceil(PATIENCE_STEPS / (PATIENCE * self.steps(rows))))
        return Plan(min(EVALUATIONS, self.evaluations) * more, PATIENCE * more, LEAST_GAIN, SOLVED)


class StackedProbes(nn.Module):
    """S classifiers of (n, S, H) vectors, which are standardised on the training rows."""

    mean: Tensor  # (S, H)
    scale: Tensor  # (S, H), the inverse of the standard deviation

    def __init__(self, shape: tuple[int, int], classes: int, options: ProbeOptions) -> None:
        super().__init__()
        layers, hidden = shape
        self.register_buffer("mean", torch.zeros(layers, hidden))
        self.register_buffer("scale", torch.ones(layers, hidden))
        widths = [hidden, *([options.width] if options.form == MLP else []), classes]
        self.weights = nn.ParameterList(
            nn.Parameter(torch.empty(layers, wide, narrow).uniform_(-1, 1) / wide**0.5)
            for wide, narrow in itertools.pairwise(widths)
        )
        nn.init.zeros_(self.weights[-1])
        self.biases = nn.ParameterList(nn.Parameter(torch.zeros(layers, 1, narrow)) for narrow in widths[1:])
        self.dropout = nn.Dropout(options.dropout)

    @torch.no_grad()
    def start_from(self, rows: Rows) -> None:
        """Standardise on the vectors of these rows (a constant feature becomes 0), and predict their labels' shares.

        An untrained probe then guesses by class frequency, and a layer without information is no worse than that.
        """
        vectors, classes = rows.vectors, self.biases[-1].shape[-1]
        counts = np.bincount(rows.labels, minlength=classes) + 1.0  # one more of each: few rows may lack a class
        self.biases[-1].copy_(torch.from_numpy(np.log(counts / counts.sum())).expand_as(self.biases[-1]))
        self.mean.copy_(torch.from_numpy(vectors.mean(0, dtype=np.float64)))
        deviation = np.sqrt(np.square(vectors.astype(np.float32) - self.mean.numpy()).mean(0, dtype=np.float64))
        self.scale.copy_(torch.from_numpy(1 / np.where(deviation > 1e-6, deviation, np.inf)))

    def states(self, vectors: Tensor) -> Tensor:
        """(n, S, H) vectors to the input of each probe, (S, n, H)."""
        return ((vectors - self.mean) * self.scale).transpose(0, 1)

    def forward(self, vectors: Tensor) -> Tensor:
        """(n, S, H) vectors to logits (S, n, C)."""
        states = self.states(vectors)
        for number, (weight, bias) in enumerate(zip(self.weights, self.biases)):
            if number:
                states = torch.sigmoid(self.dropout(states))
            states = torch.baddbmm(bias, states, weight)
        return states

    @torch.inference_mode()
    def log_probabilities(self, vectors: np.ndarray) -> np.ndarray:
        """Return the logarithms of the class probabilities, (S, n, C) float32, in nats."""
        self.eval()
        parts = [
            torch.log_softmax(self(torch.from_numpy(vectors[start : start + 1024].astype(np.float32))), -1)
            for start in range(0, len(vectors), 1024)
        ]
        return torch.cat(parts, 1).numpy()

    def is_right(self, rows: Rows) -> np.ndarray:
        """Return which rows each layer's probe answers correctly, (S, n) bool."""
        return np.asarray(self.log_probabilities(rows.vectors).argmax(-1) == rows.labels)

    def losses(self, rows: Rows) -> np.ndarray:
        """Return the mean cross-entropy of each layer's probe on rows, (S,), in nats."""
        found = self.log_probabilities(rows.vectors)
        return -found[:, np.arange(len(rows)), rows.labels].mean(1, dtype=np.float64)


def fit_probes(train: Rows, select: Rows, classes: int, options: ProbeOptions, seed: int) -> StackedProbes:
    """Fit a probe to each layer, with the weights of its lowest loss on the rows of `select`."""
    torch.manual_seed(seed)
    probes = StackedProbes(train.vectors.shape[1:], classes, options)
    fit(probes, train, select, options, seed)
    return probes


def fit(probes: StackedProbes, train: Rows, select: Rows, options: ProbeOptions, seed: int) -> None:
    """Fit new probes on batches drawn by the seed, each with the weights of its lowest loss on `select`."""
    probes.start_from(train)
    optimizer = torch.optim.Adam(probes.parameters(), RATE, weight_decay=options.penalty)
    batches = shuffled_batches(len(train), options.batch, seed)

    def steps() -> Iterator[Tensor]:
        for chosen in itertools.islice(batches, options.steps(len(train))):
            rows = train.take(chosen)
            logits = probes(torch.from_numpy(rows.vectors.astype(np.float32)))
            labels = torch.from_numpy(rows.labels).expand(len(logits), -1)
            # The mean over a layer's rows, summed over layers: each layer has the gradient that it has alone.
            yield nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten()) * len(logits)

    fit_side_by_side(probes, optimizer, options.plan(len(train)), steps, lambda: probes.losses(select))
