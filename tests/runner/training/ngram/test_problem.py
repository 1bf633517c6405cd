"""The solvers' view of labels: classes against the others, outputs of the head, numbers."""

from __future__ import annotations

import numpy as np

from runner.tasks.regression import Regression
from runner.training.ngram.problem import Problem
from runner.training.ngram.solve import Linear, Ridge
from tests.runner.training.ngram.rows import SETTINGS, review_splits, split_of_texts


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
