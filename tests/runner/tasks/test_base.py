"""The parts that all tasks share."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from data.errors import DataError
from runner.tasks import TASKS, task_class
from runner.tasks.base import LabelFacts
from runner.tasks.classification import Classification
from runner.tasks.regression import Regression


def test_an_unknown_task_is_refused_with_the_known_ones() -> None:
    assert [task_class(name).name for name in TASKS] == list(TASKS)
    with pytest.raises(KeyError, match="known: classification, regression"):
        task_class("ranking")


def test_rows_without_a_label_count_in_the_mean_and_add_nothing() -> None:
    task, logits, labels = Classification(), torch.randn(4, 2, requires_grad=True), torch.tensor([0, 1, 0, 0])
    known = np.array([True, True, False, False])
    found = task.loss(logits, {"labels": labels}, known)
    assert found.item() == pytest.approx(task.loss(logits[:2], {"labels": labels[:2]}).item() / 2)
    none = task.loss(logits, {"labels": labels}, np.zeros(4, bool))
    none.backward()
    assert none.item() == 0.0 and logits.grad is not None and not logits.grad.any()


def test_a_part_of_a_batch_weighs_what_its_labels_weigh() -> None:
    targets = {"labels": np.array([0, 1, 1])}
    weighted = Classification(LabelFacts(class_weights=np.float32([2.0, 0.5])))
    assert (Classification().weight(targets), weighted.weight(targets)) == (3.0, 3.0)
    assert weighted.unweighted().weight({"labels": np.array([0, 0])}) == 2.0
    known = np.array([False, True, True])
    assert (weighted.items(targets), weighted.items(targets, known), weighted.weight(targets, known)) == (3.0, 2.0, 1.0)


@pytest.mark.parametrize(
    ("names", "metrics", "cure"),
    [(("a", "b"), ("pearson",), "metrics=[accuracy]"), (("a", "b", "c"), ("f1",), "metrics=[f1_macro]")],
)
def test_a_score_that_a_task_cannot_have_is_refused_with_one_that_it_can(
    names: tuple[str, ...], metrics: tuple[str, ...], cure: str
) -> None:
    with pytest.raises(DataError, match=cure.replace("[", r"\[")):
        Classification(LabelFacts(names, metrics=metrics)).check()
    assert Regression(LabelFacts(metrics=("mse",))).check().metrics == ("mse",)


@pytest.mark.parametrize("name", TASKS)
def test_every_task_has_the_scores_that_it_names(name: str) -> None:
    cls = task_class(name)
    for classes in (0, 2, 3):
        task = cls(LabelFacts(tuple(map(str, range(classes)))))
        assert {*task.metrics, *task.always_scored, *task.always_recorded} <= set(task.scores)
        assert all(score.name == key for key, score in task.scores.items())
