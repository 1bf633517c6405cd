"""The solvers' view of labels: classes against the others, outputs of the head, numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from data.labels import Labels
from runner.tasks.base import LabelFacts
from runner.tasks.classification import Classification
from runner.tasks.multilabel import MultiLabel
from runner.tasks.regression import Regression
from runner.training.ngram.problem import Problem
from runner.training.ngram.solve import Linear, Logistic, Ridge
from runner.training.ngram.weighting import PRESENCE
from tests.runner.training.ngram.rows import MOODS, SETTINGS, review_splits, split_of_texts


def test_two_classes_are_one_column_and_three_are_three() -> None:
    for classes, columns in ((2, 1), (3, 3)):
        splits, task = review_splits(classes)
        problem = Problem(task, SETTINGS, splits.train, lambda: None)
        labels = np.asarray(splits.train.labels.values)
        assert problem.members.shape == (columns, 600) and problem.weightings == ("nb", "presence")
        assert np.array_equal(problem.members[-1], labels == classes - 1)
        fitted = Linear(np.ones((columns, len(problem.counted.hashes))), np.zeros(columns))
        outputs = problem.outputs_of(fitted, problem.counted.take(np.arange(5)))
        assert outputs.shape == (5, classes) and (outputs[:, 0] == 0).all() == (classes == 2)


def test_numbers_are_one_column_by_ridge() -> None:
    problem = Problem(Regression(), SETTINGS, split_of_texts(["a b", "a c", "b"], [0.5, 1.5, 2.0]), lambda: None)
    assert problem.is_number and problem.members.shape == (1, 3) and isinstance(problem.solver, Ridge)
    assert "nb" not in problem.weightings


def test_some_rows_have_the_n_grams_that_counting_them_alone_finds() -> None:
    splits, task = review_splits()
    rows = np.arange(0, 600, 7)
    problem = Problem(task, SETTINGS, splits.train, lambda: None)
    part, alone = problem.take(rows), Problem(task, SETTINGS, splits.train.take(rows), lambda: None)
    assert np.array_equal(part.counted.hashes, alone.counted.hashes)
    assert (part.counted.presence != alone.counted.presence).nnz == 0
    assert problem.take(np.arange(600)) is problem


@pytest.mark.parametrize("classes", [2, 3])
def test_a_share_of_a_class_counts_as_so_many_rows_of_it(classes: int) -> None:
    splits, _ = review_splits(classes)
    weights = np.array([0.5, 4.0, 1.5], np.float32)[:classes]
    task = Classification(LabelFacts(tuple(MOODS)[:classes], class_weights=weights))
    shares = np.random.default_rng(0).dirichlet(np.ones(classes), len(splits.train))
    soft = Problem(task, SETTINGS, splits.train, lambda: None, targets=shares)
    rows = np.repeat(np.arange(len(splits.train)), classes)
    copies = replace(splits.train.take(rows), labels=Labels(np.tile(np.arange(classes), len(splits.train))))
    hard = Problem(Classification(LabelFacts(task.facts.names)), SETTINGS, copies, lambda: None)
    solver = Logistic(hard.members, (shares * weights).ravel())
    counted = replace(soft.counted, presence=soft.counted.presence[rows])
    found = soft.solver.fit(soft.counted.presence, soft.scales(PRESENCE, soft.counted), 1.0, 1e-6)
    expected = solver.fit(counted.presence, hard.scales(PRESENCE, counted), 1.0, 1e-6)
    assert np.allclose(found.weights, expected.weights, atol=1e-3) and np.allclose(found.bias, expected.bias, atol=1e-3)
    assert np.abs(found.bias).max() > 0.1


def test_a_share_of_a_label_counts_as_so_much_of_a_row_that_has_it() -> None:
    splits, _ = review_splits(3)
    names, weights = tuple(MOODS), np.array([0.5, 4.0, 1.5], np.float32)
    task = MultiLabel(LabelFacts(names, class_weights=weights))
    shares = np.random.default_rng(0).random((len(splits.train), 3))
    train = replace(splits.train, labels=Labels((shares > 0.5).astype(np.int8)))
    soft = Problem(task, SETTINGS, train, lambda: None, targets=shares)
    row_weights, solver = soft.row_weights, soft.solver
    assert row_weights is not None and isinstance(solver, Logistic)
    assert np.allclose(solver.members * row_weights, shares.T * weights[:, None])
    assert np.allclose((1 - solver.members) * row_weights, 1 - shares.T)
