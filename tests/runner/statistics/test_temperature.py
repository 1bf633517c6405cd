"""The temperature: values by hand, the derivative by differences, what scaling the logits does, and every refusal."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.statistics.temperature import (
    curvature,
    fit_temperature,
    negative_log_likelihood,
    slope,
    solve_inverse,
)

LOGITS = np.array([(2, 0, -1), (0, 3, 0), (1, 1.5, 0), (4, 0, 0), (0, 0, 1), (3, 2.5, 0)], np.float64)
LABELS = np.array([0, 1, 0, 1, 2, 0])


def drawn(rows: int, scale: float = 1.0, classes: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logits and labels whose true temperature is `scale`."""
    random = np.random.default_rng(seed)
    logits = random.normal(size=(rows, classes)) * 2
    labels = (logits + random.gumbel(size=logits.shape)).argmax(1)
    return logits * scale, labels


def test_values_by_hand() -> None:
    inverse = solve_inverse(LOGITS, LABELS)
    assert 1 / inverse == pytest.approx(2.155585, abs=5e-7)
    assert negative_log_likelihood(LOGITS, LABELS) == pytest.approx(1.076820, abs=5e-7)
    assert negative_log_likelihood(LOGITS * inverse, LABELS) == pytest.approx(0.936306, abs=5e-7)
    own = LOGITS[np.arange(6), LABELS]
    assert slope(LOGITS, own, 0.0) == pytest.approx(-0.722222, abs=5e-7)
    ten, eight = np.tile([0.0, 2.0], (10, 1)), np.arange(10) < 8
    assert 1 / solve_inverse(ten, eight.astype(int)) == pytest.approx(2 / np.log(4), abs=1e-10)
    assert slope(ten, np.where(np.arange(10) < 4, 2.0, 0.0), 0.0) == pytest.approx(0.2)


@pytest.mark.parametrize("inverse", [0.1, 0.7, 1.0, 3.0])
def test_the_slopes_are_those_of_the_log_loss(inverse: float) -> None:
    logits, labels = drawn(200)
    own, step = logits[np.arange(200), labels], 1e-5
    ends = [negative_log_likelihood(logits * at, labels) for at in (inverse - step, inverse + step)]
    assert slope(logits, own, inverse) == pytest.approx((ends[1] - ends[0]) / (2 * step), abs=1e-8)
    slopes = [slope(logits, own, at) for at in (inverse - step, inverse + step)]
    assert curvature(logits, inverse) == pytest.approx((slopes[1] - slopes[0]) / (2 * step), abs=1e-7)


@given(st.floats(1e-3, 1e3), st.integers(0, 50))
@settings(max_examples=30, deadline=None)
def test_the_temperature_of_scaled_logits_is_scaled_and_keeps_every_answer(factor: float, seed: int) -> None:
    logits, labels = drawn(300, seed=seed)
    found = solve_inverse(logits, labels)
    assert solve_inverse(logits * factor, labels) * factor == pytest.approx(found, rel=1e-9)
    assert ((logits / (1 / found)).argmax(1) == logits.argmax(1)).all()


def test_sharp_logits_are_softened_and_shy_ones_sharpened() -> None:
    for scale in (0.5, 2.0):
        found = fit_temperature(*drawn(2000, scale))
        assert found.value == pytest.approx(scale, rel=0.1) and found.ratio > 3.84 and not found.reason
        assert found.before is not None and found.after is not None and found.after < found.before
        assert found.ratio == pytest.approx(2 * 2000 * (found.before - found.after))


def test_a_gain_within_noise_changes_nothing() -> None:
    kept = [fit_temperature(*drawn(300, seed=seed)) for seed in range(60)]
    assert all(one.value == 1.0 and not one.is_refused and "noise" in one.reason for one in kept if one.ratio == 0)
    assert sum(one.value != 1.0 for one in kept) <= 9  # 3 expected; 0.3 % by chance


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda z, y: (z[:99], y[:99]), "at least 100 rows, but has 99"),
        (lambda z, y: (z, np.minimum(y, 1)), "no calibration row has the label 'c'"),
        (lambda z, y: (np.tile([0.0, 2.0, 1.0], (300, 1)), y), "always gives the same answer"),
        (lambda z, y: (-z, y), "do not favour the labels"),
        (lambda z, y: (z, z.argmax(1)), "no mistake on the 300 calibration rows"),
        (lambda z, y: (np.where(np.arange(300)[:, None] == 6, np.nan, z), y), "row 7 are not finite"),
        (lambda z, y: (np.where(np.arange(300)[:, None] == 6, np.inf, z), y), "row 7 are not finite"),
        (lambda z, y: (np.where(np.arange(900).reshape(300, 3) == 20, np.nan, z), y), "row 7 are not finite"),
    ],
)
def test_logits_that_allow_no_fit_are_refused_with_the_reason(change: object, reason: str) -> None:
    found = fit_temperature(*change(*drawn(300)), names=("a", "b", "c"))  # type: ignore[operator]
    assert found.is_refused and found.value == 1.0 and reason in found.reason


def test_extreme_logits_have_a_temperature() -> None:
    logits, labels = drawn(200, 1e6)
    assert 1 / solve_inverse(logits, labels) == pytest.approx(1e6, rel=0.5)
    assert np.isfinite(fit_temperature(logits, labels).value)
