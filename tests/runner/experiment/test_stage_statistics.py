"""The statistics of stages are those of the runner, under the names that stages know."""

from __future__ import annotations

import numpy as np

from runner.experiment.stage_statistics import StageStatistics
from runner.statistics.deferral import net_loss_bound, net_loss_interval


def test_the_last_setting_before_the_first_that_may_lose_more() -> None:
    harms, helps = np.array([0, 5, 40]), np.array([0, 4, 30])
    allowed = net_loss_bound(5, 4, 2000, 0.05)
    found = StageStatistics()
    assert found.last_certified(harms, helps, 2000, allowed, 0.05) == 1
    assert found.last_certified(harms, helps, 2000, 0.0001, 0.05) == -1
    low, high = found.net_loss_interval(5, 4, 2000, 0.05)
    assert low < 1 / 2000 < high
    assert found.net_loss_interval(40, 4, 2000, 0.05) == net_loss_interval(40, 4, 2000, 0.05)
    assert found.net_loss_interval(40, 4, 2000, 0.05)[0] > 0, "more harm than help is a loss"


def test_the_temperature_of_logits_that_are_too_sure_and_of_too_few_rows() -> None:
    draw = np.random.default_rng(0)
    labels = draw.integers(0, 2, 600)
    logits = np.eye(2)[np.where(draw.random(600) < 0.8, labels, 1 - labels)] * 9.0
    assert StageStatistics().temperature(logits, labels) > 3
    assert StageStatistics().temperature(logits[:20], labels[:20]) == 1
