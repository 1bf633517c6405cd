"""Vector scaling: finds a bias by class, and gives way to a temperature where it gains nothing or rows are few."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats as scipy_stats

from runner.statistics.probabilities import log_loss, softmax
from runner.statistics.temperature import solve_inverse, why_not
from runner.statistics.vector_scaling import VectorScaling, fit_vector_scaling, held_out_gains, solve_vector


def drawn(rows: int, shifts: tuple[float, ...], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logits 1.8 times too sharp, which lack these shifts, and labels."""
    random = np.random.default_rng(seed)
    logits = random.normal(size=(rows, len(shifts))) * 2
    labels = (logits + np.array(shifts) + random.gumbel(size=logits.shape)).argmax(1)
    return logits * 1.8, labels


def test_weights_and_shifts_are_found_and_beat_a_temperature_on_other_rows() -> None:
    found = fit_vector_scaling(*drawn(4000, (1.0, 0.0, -1.0)))
    assert isinstance(found, VectorScaling) and found.gain > 0
    assert found.weights == pytest.approx(np.full(3, 1 / 1.8), rel=0.1)
    assert found.shifts == pytest.approx([1.0, 0.0, -1.0], abs=0.12) and found.shifts.sum() == pytest.approx(0)
    logits, labels = drawn(4000, (1.0, 0.0, -1.0), seed=1)
    other = softmax(logits * solve_inverse(*drawn(4000, (1.0, 0.0, -1.0))))
    assert log_loss(softmax(found.apply(logits)), labels) < log_loss(other, labels) - 0.02


def test_the_solution_has_no_slope() -> None:
    logits, labels = drawn(400, (0.5, 0.0, -0.5))
    found, step = solve_vector(logits, labels), 1e-4

    def loss(weights: np.ndarray, shifts: np.ndarray) -> float:
        return log_loss(softmax(logits * weights + shifts), labels)

    for place in range(3):
        moved = np.eye(3)[place] * step
        for ends in ((moved, 0 * moved), (0 * moved, moved)):
            sides = [loss(found.weights + side * ends[0], found.shifts + side * ends[1]) for side in (1, -1)]
            assert abs(sides[0] - sides[1]) / (2 * step) < 1e-7


def test_without_a_bias_a_temperature_is_taken() -> None:
    reasons = [fit_vector_scaling(*drawn(600, (0.0, 0.0, 0.0), seed)) for seed in range(5)]
    assert sum(isinstance(one, str) and "within noise" in one for one in reasons) >= 4


def test_the_gain_is_the_mean_over_the_rows_and_noise_its_standard_error() -> None:
    for shifts in ((0.0, 0.0, 0.0), (0.7, 0.0, -0.7)):
        logits, labels = drawn(600, shifts)
        gains, found = held_out_gains(logits, labels), fit_vector_scaling(logits, labels)
        assert gains is not None
        error = scipy_stats.sem(gains)
        if isinstance(found, str):
            assert found == f"vector scaling gains {gains.mean():+.4f} nats, within noise ({error:.4f})"
        else:
            assert found.gain == pytest.approx(gains.mean()) and found.gain > error


def test_few_rows_of_a_class_are_not_enough() -> None:
    logits, labels = drawn(300, (0.0, 0.0))
    labels = np.where(np.arange(300) < 30, labels, 0)
    assert "needs 50 rows per class, but one has" in str(fit_vector_scaling(logits, labels))


@pytest.mark.timeout(60)
def test_a_model_near_chance_is_refused_where_some_of_the_rows_contradict_it() -> None:
    found = set[str]()
    for seed in range(40):
        random = np.random.default_rng(seed)
        logits, labels = random.normal(size=(400, 2)), np.arange(400) % 2
        if why_not(logits, labels, ()) == "":
            found.add(str(fit_vector_scaling(logits, labels)).partition(" rows ")[0])
    assert "on four fifths of the" in found
