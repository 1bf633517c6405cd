"""Learning-rate schedules: their shapes, the warm-up, and a plateau that knows which way its metric improves."""

from __future__ import annotations

import math

import pytest

from runner.schema import ScheduleSettings
from runner.training.schedule import Schedule, is_better


def schedule(name: str, direction: str = "higher", **more: float) -> Schedule:
    return Schedule(ScheduleSettings(name=name, warmup=0.1, **more), 1.0, 100, direction)  # type: ignore[arg-type]


def test_schedules_rise_then_follow_their_shape() -> None:
    linear, cosine = schedule("linear"), schedule("cosine")
    assert [linear.rate(s) for s in (0, 4, 9)] == pytest.approx([0.1, 0.5, 1.0])
    assert linear.rate(10) == 1.0 and linear.rate(55) == pytest.approx(0.5) and linear.rate(99) < 0.02
    assert cosine.rate(55) == pytest.approx(0.5) and schedule("constant").rate(99) == 1.0


def test_a_cut_multiplies_the_rate_of_every_step_in_and_after_the_warm_up() -> None:
    settings = ScheduleSettings(name="cosine", warmup=0.1)
    cut = Schedule(settings, peak=0.02, total=100, direction="higher", scale=0.5)
    assert cut.rate(4) == pytest.approx(0.005)  # half of the warm-up, half of the rate
    # A third of the way after the warm-up, cos(60°) is 1/2, so the cosine schedule is at 3/4 of its peak.
    assert cut.rate(40) == pytest.approx(0.0075) and cut.rate(70) == pytest.approx(0.0025)


def test_a_plateau_keeps_the_peak_until_it_cuts_and_counts_again_from_0_after_a_gain_or_a_cut() -> None:
    plateau = schedule("plateau", patience=2)
    assert [plateau.rate(step) for step in (10, 50, 99)] == [1.0, 1.0, 1.0]
    scales = []
    for metric in (0.5, 0.4, 0.4, 0.6, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5):
        plateau.observe(metric)
        scales.append(plateau.scale)
    # Two epochs without a gain are allowed, before and after the gain to 0.6; the third and the sixth one cut.
    assert scales == [1.0] * 6 + [0.5] * 3 + [0.25]


@pytest.mark.parametrize(("direction", "metrics"), [("higher", [0.5, 0.6, 0.7]), ("lower", [0.7, 0.6, 0.5])])
def test_a_plateau_watches_the_direction_of_its_metric(direction: str, metrics: list[float]) -> None:
    plateau = schedule("plateau", direction, patience=1)
    for metric in metrics:
        plateau.observe(metric)
    assert plateau.scale == 1.0, "a metric that improves must not cut the rate"
    for _ in range(2):
        plateau.observe(metrics[0])
    assert plateau.scale == 0.5


def test_a_schedule_goes_on_where_a_checkpoint_says() -> None:
    plateau, resumed = schedule("plateau", patience=0), schedule("plateau", patience=0)
    for metric in (0.5, 0.4, 0.3):
        plateau.observe(metric)
    resumed.load(plateau.state())
    assert plateau.scale == 0.25 and resumed.state() == plateau.state() and resumed.rate(50) == plateau.rate(50)


def test_a_plateau_waits_while_every_score_is_0_and_the_loss_falls() -> None:
    plateau = schedule("plateau", patience=0)
    for loss in (0.9, 0.8, 0.7):
        plateau.observe(0.0, loss)
    assert plateau.scale == 1.0
    plateau.observe(0.0, 0.7)
    assert plateau.scale == 0.5, "the same loss is no progress"


@pytest.mark.parametrize(
    ("metric", "best", "direction", "expected"),
    [(0.5, math.nan, "higher", True), (math.nan, math.nan, "higher", False), (math.nan, 0.5, "lower", False),
     (0.5, 0.5, "higher", False), (0.5, 0.5, "lower", False), (0.4, 0.5, "lower", True), (0.4, 0.5, "higher", False)],
)  # fmt: skip
def test_only_a_strict_gain_is_better_and_nothing_is_worse_than_no_metric(
    metric: float, best: float, direction: str, expected: bool
) -> None:
    assert is_better(metric, best, direction) is expected
