"""A model over n-grams before it is fitted: the n-grams of the training rows, with guessed weights, as a file.

The number of n-grams kept is decided by the cap, or, if the rows have fewer, by how many weights round to zero. That
depends on the weighting and the penalty that the selection split chooses; the guess is for those under which most stay,
so a fitted file is smaller: by 8 % on SST-2, where plain presence is chosen, and by 30 % with naive-Bayes ratios.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit

from data.splits import TokenSplit
from models.backbones.ngram import build_bag_of_ngrams
from models.heads.attach import attach_head
from models.heads.linear import LinearHead
from models.packed.ngram import Table, pack_ngrams
from runner.schema import Settings
from runner.tasks.base import Task
from runner.training.ngram.check import none_frequent
from runner.training.ngram.fit import put_table
from runner.training.ngram.problem import Problem
from runner.training.ngram.pruning import by_importance, likely_count, make_table, prune
from runner.training.ngram.solve import Linear

STEPS, STRENGTH = 12, 1.0  # of descent; the weakest penalty that fits try, under which most n-grams stay
TOGETHER = 6.0  # n-grams that an error is divided among: with fewer, steps would overshoot
LEAST = 1e-6  # share of a class


@dataclass(frozen=True)
class NgramDraft:
    """A network over n-grams with guessed weights."""

    network: LinearHead
    grams: int  # n-grams that occur in enough rows
    cells: int  # of the matrix of rows and n-grams that are not empty
    is_capped: bool  # did the cap decide how many stay?
    least: int  # bytes of a file with one n-gram a column


@dataclass(frozen=True)
class GuessedNgrams:
    """The n-grams of the training rows with guessed weights; the cap is still to decide how many stay."""

    problem: Problem
    fitted: Linear
    order: np.ndarray  # (columns x F,) the weights by `by_importance`


def guess_ngrams(settings: Settings, task: Task, train: TokenSplit) -> GuessedNgrams:
    """Return the n-grams that occur in enough training rows, with guessed weights.

    Raises ConfigError for none.
    """
    problem = Problem(
        task, settings.model, train, lambda: None, settings.data.text_pair is not None, settings.data.symmetric
    )
    if not len(problem.counted.hashes):
        raise none_frequent(settings.model.min_df, len(train))
    fitted = guess_weights(problem)
    return GuessedNgrams(problem, fitted, by_importance(fitted, problem.counted.df))


def ngram_draft(found: GuessedNgrams, settings: Settings, task: Task) -> NgramDraft:
    """Return the draft of a model over these n-grams, with as many weights as model.max_kb may have room for."""
    model, spec, problem, order = settings.model, task.head(), found.problem, found.order
    counted = problem.counted

    def table_of(count: int) -> Table:
        kept = prune(order, count, found.fitted.weights.shape)
        table = make_table(kept.of(found.fitted), counted.hashes[kept.columns], model.n)
        return replace(table, pairs=problem.pairs, mean=model.family != "ngram", characters=problem.characters)

    def size_of(table: Table) -> int:
        sets = task.reader_facts(are_fitted=True)
        return len(pack_ngrams(table, task.facts.names, 1.0, settings.data.max_length, sets))

    whole = table_of(len(order))
    is_capped = model.max_kb is not None and size_of(whole) > 1000 * model.max_kb
    network = attach_head(*build_bag_of_ngrams(model, spec.deciding), spec)
    put_table(network, table_of(likely_count(model.max_kb)) if is_capped else whole, 1.0)
    least = size_of(table_of(len(problem.members)))
    return NgramDraft(network, len(counted.hashes), int(counted.presence.nnz), is_capped, least)


def guess_weights(problem: Problem) -> Linear:
    """Return weights after a few steps of gradient descent on the penalised loss, from zero; no fit.

    Each weight has a step of its own, by the rows with its n-gram: with one step for all, rare ones stay near zero.
    """
    counted, members = problem.counted, problem.members.astype(np.float64)
    presence = counted.presence
    targets = members if not problem.is_number else np.asarray(problem.rows.known_labels, np.float64)[None]
    share = targets.mean(1)
    bias = share if problem.is_number else np.log(share.clip(LEAST, 1 - LEAST) / (1 - share).clip(LEAST, 1 - LEAST))
    weights = np.zeros((len(members), len(counted.hashes)))
    curvature = 1 + STRENGTH * 0.25 * counted.df * TOGETHER
    for _ in range(STEPS):
        scores = np.asarray(presence @ weights.T).T + bias[:, None]
        errors = targets - (scores if problem.is_number else expit(scores))
        weights = weights - (weights - STRENGTH * np.asarray(presence.T @ errors.T).T) / curvature
    return Linear(weights, bias)
