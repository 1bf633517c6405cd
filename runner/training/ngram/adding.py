"""Adds a linear model over the n-grams of a text, or of two, to a trained network (model.add=ngram).

Each part is trained separately. The selection split only determines the weights of the two logits in their sum, those
with the lowest loss there. A weight of 0 leaves a part out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch

from data.inputs.tokenizer import Tokenizer, require_pieces
from data.splits import Splits, TokenSplit
from models.heads.added_ngrams import ADDED, AddedNgrams, attach_ngrams, hashes_of
from models.heads.linear import LinearHead
from models.heads.target_scale import TARGETS
from models.settings import ModelSettings
from runner.tasks.base import Task
from runner.training.ngram.fit import FittedNgrams, fit_ngrams

SHARES = np.linspace(0.0, 1.0, 21)  # of the n-grams in the sum
SCALES = np.geomspace(0.3, 3.0, 24)  # of the sum, for classes

Outputs = Callable[[LinearHead], np.ndarray]


@dataclass(frozen=True)
class Weights:
    """The weights of the two logits in their sum."""

    network: float
    ngrams: float

    @property
    def share(self) -> float:
        """The share of the n-grams, 0 to 1."""
        return self.ngrams / (self.network + self.ngrams)


@dataclass(frozen=True)
class AddedFit:
    """The weights of the two parts, and the scores of each and of their sum on the selection split."""

    fitted: FittedNgrams
    weights: Weights
    metric: str
    network: float  # scores on the selection split
    ngrams: float
    both: float

    def sentences(self) -> list[str]:
        """Return lines about the n-grams, and about what they add."""
        scores = f"{self.metric} on the selection split: network {self.network:.4f}, n-grams {self.ngrams:.4f}"
        told = (
            f"logits of both added, {self.weights.network:.2f} x network + {self.weights.ngrams:.2f} x n-grams; "
            f"{scores}, sum {self.both:.4f}"
        )
        if not self.weights.ngrams:
            told = f"n-grams left out: on the selection split they add nothing to the network; {scores}"
        if not self.weights.network:
            told = (
                f"the network adds nothing to the n-grams: its weight is 0; {scores}. Try: model=ngram, a smaller file"
            )
        return [f"n-grams of pieces: {self.fitted.sentence()}", told]


def add_ngrams(
    network: LinearHead, splits: Splits, task: Task, settings: ModelSettings, outputs_of: Outputs,
    pause: Callable[[], None] = lambda: None, *, is_symmetric: bool = False,
) -> AddedFit:  # fmt: skip
    """Fit n-grams on the training rows and add them to a trained network, weighted by the selection split.

    outputs_of: returns a network's outputs on the selection split; pause: called between fits; is_symmetric: is the
    order of two texts irrelevant?
    """
    words = hashes_of(splits.tokenizer.tokens(), special_tokens(splits.tokenizer))
    hashed = replace(splits, train=in_hashes(splits.train, words), select=in_hashes(splits.select, words))
    found = fit_ngrams(hashed, task, settings, pause, is_symmetric=is_symmetric)
    own = outputs_of(network)
    attach_fitted(network, found, words)
    centre = network.architecture[TARGETS]["mean"] if TARGETS in network.architecture else 0.0
    parts = np.stack([own, centre + outputs_of(network) - own])
    weights = choose_weights(parts, centre, splits.select, task)
    weigh_parts(network, weights)
    network_score, ngrams, both = (
        task.evaluate(task.answers(weighted(parts, centre, pair), splits.select), task.metrics[:1])[task.metrics[0]]
        for pair in (Weights(1, 0), Weights(0, 1), weights)
    )
    return AddedFit(found, weights, task.metrics[0], network_score, ngrams, both)


def special_tokens(tokenizer: Tokenizer) -> frozenset[str]:
    """Return the special tokens of a tokenizer, which stand for no part of a text."""
    backend = require_pieces(tokenizer, "model.add=ngram").backend
    return frozenset(token.content for token in backend.get_added_tokens_decoder().values())


def in_hashes(split: TokenSplit, words: np.ndarray) -> TokenSplit:
    """Return the split with each token id replaced by its hash; words: (V,)."""
    return replace(split, tokens=words[np.asarray(split.tokens)])


@torch.no_grad()
def attach_fitted(network: LinearHead, found: FittedNgrams, words: np.ndarray) -> None:
    """Make a network add the logits of fitted n-grams; words: (V,) the hash of each token."""
    table, targets = found.table, network.architecture.get(TARGETS)
    of_pairs = {"pairs": table.pairs.entry()} if table.pairs else {}
    added = attach_ngrams(network, {"n": table.n, "count": len(table.prints), **of_pairs})
    scale, bias = (part.astype(np.float64) / found.choice.temperature for part in (table.scale, table.bias))
    if targets:
        scale, bias = scale / targets["sd"], (bias - targets["mean"]) / targets["sd"]
    added.bag.fill(table.prints, table.rows)
    added.words.copy_(torch.from_numpy(words.astype(np.int64)))
    added.scale.copy_(torch.from_numpy(scale))
    added.bias.copy_(torch.from_numpy(bias))
    added.to(network.classifier.weight.device)


def weighted(parts: np.ndarray, centre: float, weights: Weights) -> np.ndarray:
    """Return the weighted sum of the outputs of network and n-grams, (2, rows, C) to (rows, C) float32.

    centre: the mean of standardised targets, from which outputs are measured; 0 for other tasks.
    """
    found = centre + weights.network * (parts[0] - centre) + weights.ngrams * (parts[1] - centre)
    return np.asarray(found, np.float32)


def choose_weights(parts: np.ndarray, centre: float, select: TokenSplit, task: Task) -> Weights:
    """Return the weights with the lowest loss on the selection split; for regression they sum to 1."""
    scales = SCALES if len(task.facts.names) > 1 else np.ones(1)
    pairs = [Weights(float(scale * (1 - share)), float(scale * share)) for share in SHARES for scale in scales]
    return min(pairs, key=lambda pair: task.evaluated_loss(weighted(parts, centre, pair), select))


@torch.no_grad()
def weigh_parts(network: LinearHead, weights: Weights) -> None:
    """Multiply the logits of both parts of a network by their weights; n-grams of weight 0 are removed."""
    added = network.added
    assert isinstance(added, AddedNgrams)
    for tensor in (network.classifier.weight, network.classifier.bias):
        tensor.mul_(weights.network)
    for tensor in (added.scale, added.bias):
        tensor.mul_(weights.ngrams)
    if not weights.ngrams:
        network.added = None
        del network.architecture[ADDED]
