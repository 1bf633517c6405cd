from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from data.splits import TargetScale
from runner.statistics.correlation import NUMBER_SCORES
from runner.tasks.base import LabelFacts
from runner.tasks.regression import Regression
from tests.runner.tasks.splits import (
    answers_of,
    interval,
    is_constant,
    loss,
    metrics,
    regression,
    split_of,
)


def test_regression_scores_by_hand() -> None:
    labels, outputs = np.array([1.0, 2.0, 3.0, 4.0]), np.array([[1.0], [3.0], [2.0], [6.0]])
    got = metrics(regression, outputs, labels, ["pearson", "spearman", "mse"])
    assert got["spearman"] == pytest.approx(0.8)
    assert got["pearson"] == pytest.approx(7 / math.sqrt(5 * 14))
    assert got["mse"] == pytest.approx((0 + 1 + 1 + 4) / 4)


def test_spearman_does_not_change_with_the_scale_of_the_outputs() -> None:
    random = np.random.default_rng(0)
    labels, outputs = random.random(50), random.random(50)
    before = metrics(regression, outputs, labels, ["spearman"])
    assert before == metrics(regression, np.exp(3 * outputs) + 7, labels, ["spearman"])


def test_constant_outputs_correlate_with_nothing() -> None:
    labels = np.array([1.0, 2.0, 3.0])
    got = metrics(regression, np.full((3, 1), 0.1), labels, NUMBER_SCORES)
    assert (got["pearson"], got["spearman"]) == (0.0, 0.0)
    assert is_constant(regression, np.full((3, 1), 0.1))
    assert interval(regression, np.full((3, 1), 0.1), labels, "spearman") == (0.0, 0.0)
    assert regression.baseline(split_of([2.0, 4.0]), split_of(labels), "mse") == pytest.approx((4 + 1 + 0) / 3)


def test_outputs_that_differ_by_rounding_alone_are_constant() -> None:
    labels = np.linspace(1.0, 5.0, 40)
    outputs = (3.0 + 2e-7 * labels).astype(np.float32)[:, None]
    assert len(np.unique(outputs)) > 1, "and their order is that of the labels"
    assert is_constant(regression, outputs)
    assert metrics(regression, outputs, labels, ["spearman", "pearson"]) == {"spearman": 0.0, "pearson": 0.0}
    assert metrics(regression, outputs * 1e6 + labels[:, None], labels, ["spearman"])["spearman"] == pytest.approx(1.0)


@pytest.mark.parametrize("name", ["pearson", "spearman", "mse"])
def test_interval_of_regression_equals_resampling_the_rows(name: str) -> None:
    random = np.random.default_rng(5)
    labels = np.round(random.random(200) * 5, 1)  # ties, as in STS-B
    outputs = np.round(labels + random.normal(size=200), 1)
    picks = random.integers(200, size=(400, 200))
    resampled = [metrics(regression, outputs[rows], labels[rows], [name])[name] for rows in picks]
    got = interval(regression, outputs[:, None], labels, name)
    # Tolerance: a tenth to a fifth of the intervals' widths, the spread of 400 draws.
    assert got == pytest.approx(tuple(np.quantile(resampled, [0.025, 0.975])), abs=0.1 if name == "mse" else 0.03)


def test_resampled_ranks_are_those_scipy_gives() -> None:
    from scipy.stats import spearmanr

    random = np.random.default_rng(7)
    labels, outputs = random.integers(5, size=60).astype(float), random.integers(9, size=60).astype(float)
    rows = random.integers(60, size=60)
    counts = np.bincount(rows, minlength=60)[None].astype(float)
    (got,) = NUMBER_SCORES["spearman"].over(answers_of(regression, outputs[:, None], labels))(counts)
    assert got == pytest.approx(spearmanr(outputs[rows], labels[rows]).statistic, abs=1e-12)


def test_regression_loss_squeezes_the_head() -> None:
    logits, labels = torch.tensor([[1.0], [4.0]]), torch.tensor([2.0, 2.0], dtype=torch.float64)
    assert loss(regression, logits, labels) == pytest.approx(2.5)


def test_losses_of_standardised_targets_are_in_standard_deviations() -> None:
    own = Regression(LabelFacts((), scale=TargetScale(10.0, 4.0)))
    outputs, labels = torch.tensor([[14.0], [6.0], [10.0]]), torch.tensor([10.0, 10.0, 18.0])
    targets = {"labels": labels}
    assert loss(own, outputs, labels) == pytest.approx((1 + 1 + 4) / 3)
    assert float(own.stage_loss(outputs, targets)) == pytest.approx((1 + 1 + 4) / 3)
    assert own.evaluated_loss(outputs.numpy(), split_of(labels.numpy())) == pytest.approx((1 + 1 + 4) / 3)
    assert float(own.match(outputs, labels[:, None], targets, soft="kl", temperature=1.0)) == pytest.approx(2.0)
    assert own.least_gain("mse", 0.1) == pytest.approx(1.6) and own.least_gain("spearman", 0.1) == 0.1
    plain = Regression()
    assert plain.evaluated_loss(outputs.numpy(), split_of(labels.numpy())) == pytest.approx(32.0)
    assert float(plain.stage_loss(outputs, targets)) == pytest.approx(32.0) and plain.least_gain("mse", 0.1) == 0.1


def test_an_answer_is_the_number() -> None:
    asked: Any = None
    answers = Regression().respond(np.array([[1.5], [2.0]], np.float32), asked)
    assert answers == [{"prediction": 1.5}, {"prediction": 2.0}]
    assert [(field.name, field.type) for field in Regression().answer_fields()] == [("prediction", "number")]
