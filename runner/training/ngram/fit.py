"""Fits an n-gram model, from counting to the rounded rows in the network."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from data.inputs.hashed_words import marked_pattern_of
from data.labels import classes_among
from data.splits import Splits, TokenSplit
from models.backbones.ngram import BagOfNgrams
from models.heads.linear import LinearHead
from models.heads.target_scale import TARGETS
from models.packed.facts import Facts
from models.packed.ngram import Table, pack_ngrams
from models.settings import ModelSettings
from runner.tasks.base import Task
from runner.training.ngram.check import entry_bytes
from runner.training.ngram.choosing import Choice, choose
from runner.training.ngram.problem import Problem
from runner.training.ngram.pruning import by_importance, make_table, most_that_fit, prune
from runner.training.ngram.solve import Linear, few_by_l1

FEW_KB = 20  # below it an L1 penalty is tried too
SHRINK, MOST_SHRINKS = 0.98, 6


@dataclass(frozen=True)
class FittedNgrams:
    """A fitted model and facts about the fit."""

    table: Table
    choice: Choice
    seen: int  # distinct n-grams that occur in enough rows
    bytes_packed: int
    seconds: float
    is_number: bool = False
    missing: tuple[str, ...] = ()  # classes without a row in the selection split

    def sentence(self) -> str:
        """Return a line about the fit."""
        choice = self.choice
        said = (
            f"{choice.weighting}, C {choice.strength:g}: {len(self.table.prints):,} of {self.seen:,} n-grams kept, "
            f"{self.bytes_packed:,} bytes"
        )
        said += "" if self.is_number else f"; temperature {choice.temperature:.2f}"
        if choice.contained:
            said += f"; {choice.contained:,} training rows are in held-out ones, so they were left out to choose C"
        if self.missing:
            said += f"; no row of {', '.join(self.missing)} is among the selection rows"
        return said


def fit_ngrams(
    splits: Splits, task: Task, settings: ModelSettings, pause: Callable[[], None] = lambda: None, *,
    is_symmetric: bool = False, max_length: int | None = None, targets: np.ndarray | None = None,
    tell: Callable[[str], None] = lambda line: None,
) -> FittedNgrams:  # fmt: skip
    """Fit an n-gram model on the training rows; C and weighting are chosen on the selection split.

    pause: called between fits; is_symmetric: is the order of two texts irrelevant? max_length: number of words read of
    a text, stored in the file; targets: what to learn instead of the labels of the training rows, (rows, outputs)
    shares of classes or (rows,) numbers; tell: shows a line to the user.
    """
    begun = time.perf_counter()
    problem = Problem(
        task, settings, splits.train, pause, splits.task.is_pair, is_symmetric, targets=targets, tell=tell
    )
    labels = splits.task.label_names
    choice = choose(problem, splits.select)
    table, seen = _fit_final(problem, choice, splits.select, labels, entry_bytes(splits, settings, task.head()))
    table = replace(table, pairs=problem.pairs, characters=problem.characters)
    read = splits.tokenizer
    facts = Facts(
        labels, 0, cleaning=read.cleaning, language=read.language, word_pattern=marked_pattern_of(read),
        sets=task.reader_facts(are_fitted=True),
    )  # fmt: skip
    size = len(pack_ngrams(table, labels, choice.temperature, max_length, facts.of_words))
    missing = () if problem.is_number else missing_classes(splits.select, labels)
    return FittedNgrams(table, choice, seen, size, time.perf_counter() - begun, problem.is_number, missing)


def missing_classes(select: TokenSplit, labels: Sequence[str]) -> tuple[str, ...]:
    """Return the classes without rows in a split."""
    found = set(classes_among(select.known_labels).tolist())
    return tuple(label for place, label in enumerate(labels) if place not in found)


@dataclass(frozen=True)
class _Part:
    """A fit on some of the n-grams."""

    fitted: Linear
    columns: np.ndarray  # (k,) of the counted n-grams, ascending

    def table(self, problem: Problem) -> Table:
        """Return the rounded model."""
        return make_table(self.fitted, problem.counted.hashes[self.columns], problem.settings.n)


def _fit_final(
    problem: Problem, choice: Choice, select: TokenSplit, labels: Sequence[str], added: int
) -> tuple[Table, int]:
    """Return the model of all training rows, and how many n-grams they have; added: further bytes of its file."""
    counted, max_kb = problem.counted, problem.settings.max_kb
    most_bytes = 0 if max_kb is None else int(max_kb * 1000) - added
    whole = problem.solver.fit(counted.presence, problem.scales(choice.weighting, counted), choice.strength)
    order, seen = by_importance(whole, counted.df), len(counted.hashes)
    count = len(order)
    if max_kb is not None:
        count = most_that_fit(whole, counted.hashes, order, problem.settings.n, labels, most_bytes, choice.temperature)
    if count == len(order) or max_kb is None:
        return _Part(whole, np.arange(seen)).table(problem), seen
    kept = prune(order, count, whole.weights.shape)
    parts = [_Part(kept.of(whole), kept.columns)]
    parts += _refitted(problem, choice, order[:count], labels, most_bytes)
    if max_kb < FEW_KB and not problem.is_number:
        scales, weights = problem.scales(choice.weighting, counted), problem.row_weights
        few = few_by_l1(counted.presence, problem.members, scales, len(kept.columns), weights)
        parts += _refitted(problem, choice, order[np.isin(order % seen, few)], labels, most_bytes)
    best = max(parts, key=lambda part: _score(problem, part, select))  # the first of equals
    return best.table(problem), seen


def _refitted(
    problem: Problem, choice: Choice, order: np.ndarray, labels: Sequence[str], most_bytes: int
) -> list[_Part]:
    """Return a fit of these weights alone, dropping some until its file fits; [] if it never does.

    order: (k,) indices into the flat (columns x F), the most important first.
    """
    shape = (len(problem.members), len(problem.counted.hashes))
    for _ in range(MOST_SHRINKS):
        if not len(order):
            break
        problem.pause()
        kept = prune(order, len(order), shape)
        counted = problem.counted.only(kept.columns)
        scales = problem.scales(choice.weighting, counted) * kept.mask
        part = _Part(problem.solver.fit(counted.presence, scales, choice.strength), kept.columns)
        size = len(pack_ngrams(part.table(problem), labels, choice.temperature))
        if size <= most_bytes:
            return [part]
        order = order[: int(len(order) * SHRINK * most_bytes / size)]
    return []


def _score(problem: Problem, part: _Part, select: TokenSplit) -> float:
    """Return the score on the selection split."""
    known = problem.known(select, problem.counted.hashes[part.columns])
    return problem.score(problem.outputs_of(part.fitted, known), select)


def put_into(network: LinearHead, found: FittedNgrams) -> None:
    """Copy a fitted model into a network that was built for it."""
    put_table(network, found.table, found.choice.temperature)


@torch.no_grad()
def put_table(network: LinearHead, table: Table, temperature: float) -> None:
    """Copy a table into a network that was built for it."""
    bag = network.bert
    assert isinstance(bag, BagOfNgrams)
    bag.fill(table.prints, table.rows, is_mean=table.mean)
    scale, bias = table.scale.astype(np.float64), table.bias.astype(np.float64)
    if targets := network.architecture.get(TARGETS):
        scale, bias = scale / targets["sd"], (bias - targets["mean"]) / targets["sd"]
    columns = len(scale)
    head = network.classifier
    head.weight.zero_()
    head.bias.zero_()
    head.weight[-columns:] = torch.from_numpy(np.diag(scale / temperature))
    head.bias[-columns:] = torch.from_numpy(bias / temperature)
    bag.pairs, bag.characters = table.pairs, table.characters
    options = {"n": table.n, "count": len(table.prints), "temperature": temperature}
    network.architecture["ngram"] = options | ({"pairs": table.pairs.entry()} if table.pairs else {})
    network.architecture["ngram"] |= {"mean": True} if table.mean else {}
    network.architecture["ngram"] |= {"characters": list(table.characters)} if table.characters else {}
