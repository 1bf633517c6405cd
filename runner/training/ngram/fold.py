"""Folds trained n-gram vectors into weights: one per class and n-gram, as many as fit into the file.

The head is linear and the text is a mean, so rows E (n, H) and head W (C, H) are equivalent to E W^T. The n-grams with
the largest weights are kept; under plain SGD weights grow with frequency, so they reflect that too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch

from data.splits import Splits
from models.backbones.ngram import build_bag_of_ngrams
from models.backbones.ngram_vectors import NgramVectors
from models.heads.attach import attach_head
from models.heads.linear import LinearHead
from models.heads.target_scale import TARGETS, attach_target_scale
from models.packed.ngram import LANGUAGE_ENTRY, Table, pack_ngrams, sets_entry
from models.settings import ModelSettings
from runner.training.ngram.choosing import fit_temperature
from runner.training.ngram.containment import choosing_rows
from runner.training.ngram.fit import put_table
from runner.training.ngram.pruning import make_table, most_that_fit, prune
from runner.training.ngram.solve import Linear

SPARE_BYTES = 64  # for header entries added after the search: the mean, the truncation length, the temperature's digits
SHRINK = 0.99


Outputs = Callable[[LinearHead], np.ndarray]


def fold(network: LinearHead, settings: ModelSettings, splits: Splits, outputs_of: Outputs) -> LinearHead:
    """Return the linear n-gram model that is equivalent to a trained network, pruned to a file of at most model.max_kb.

    outputs_of: returns a network's outputs on the selection split, for choosing the temperature of the probabilities.
    """
    labels = splits.task.label_names
    spare = LANGUAGE_ENTRY if splits.tokenizer.language else 0
    spare += sets_entry(network.spec.outputs) if network.spec.has_label_sets else 0
    table = fold_rows(network, labels, settings.max_kb, spare)
    folded = attach_head(*build_bag_of_ngrams(settings, network.spec.deciding), network.spec)
    if targets := network.architecture.get(TARGETS):
        folded.architecture[TARGETS] = targets
        attach_target_scale(folded, targets)
    folded.to(network.classifier.weight.device)
    put_table(folded, table, 1.0)
    if labels:
        own = choosing_rows(splits.train, splits.select).select  # rows seen in training would be overconfident
        labels_of = np.asarray(splits.select.known_labels)
        put_table(folded, table, fit_temperature(outputs_of(folded)[own], labels_of[own]))
    return folded


@torch.no_grad()
def fold_rows(network: LinearHead, labels: Sequence[str], max_kb: float | None, spare: int = 0) -> Table:
    """Return the rounded table of a network; the largest weights are kept.

    spare: bytes of its file left free.
    """
    bag, head, targets = network.bert, network.classifier, network.architecture.get(TARGETS)
    assert isinstance(bag, NgramVectors)
    weights = (bag.rows.weight.double() @ head.weight.double().T).T.cpu().numpy()
    bias = head.bias.double().cpu().numpy()
    if network.spec.deciding < len(weights):  # one score: the log-odds of the second class
        weights, bias = weights[1:] - weights[:1], bias[1:] - bias[:1]
    elif len(weights) > 1 and not network.spec.has_label_sets:  # a shift shared by all classes changes no probability
        weights, bias = weights - weights.mean(0), bias - bias.mean()
    if targets:
        weights, bias = weights * targets["sd"], bias * targets["sd"] + targets["mean"]
    whole, hashes = Linear(weights, bias), bag.hashes.cpu().numpy().astype(np.uint32)
    order = np.argsort(-np.abs(weights), axis=None, kind="stable")
    count, most = len(order), None if max_kb is None else int(max_kb * 1000) - spare
    if most is not None:
        count = most_that_fit(whole, hashes, order, bag.n, labels, most - SPARE_BYTES)
    while True:
        kept = prune(order, count, weights.shape)
        table = replace(make_table(kept.of(whole), hashes[kept.columns], bag.n), mean=True)
        if most is None or not count or len(pack_ngrams(table, labels)) <= most - SPARE_BYTES:
            return table
        count = int(count * SHRINK)
