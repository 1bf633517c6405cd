"""A temperature with a power: found where it is there, left out where it is noise, and never another answer."""

from __future__ import annotations

import numpy as np
import pytest

from runner.statistics.adaptive_temperature import apply_temperature, fit_adaptive
from runner.statistics.probabilities import log_loss, softmax
from runner.statistics.temperature import LEAST_RATIO, fit_temperature, negative_log_likelihood


def drawn(rows: int, classes: int, seed: int, temperature: float, power: float) -> tuple[np.ndarray, np.ndarray]:
    """Logits, and labels drawn from the probabilities that they have at this temperature and power."""
    random = np.random.default_rng(seed)
    logits = random.normal(size=(rows, classes)) * random.gamma(2, 2, size=(rows, 1))
    wanted = apply_temperature(logits, temperature, power)
    return logits, (wanted + random.gumbel(size=wanted.shape)).argmax(1)


@pytest.mark.parametrize(("classes", "temperature", "power"), [(2, 1.0, 0.6), (2, 2.0, 1.8), (5, 0.7, 0.6)])
def test_what_the_labels_were_drawn_with_is_found(classes: int, temperature: float, power: float) -> None:
    logits, labels = drawn(6000, classes, 0, temperature, power)
    found = fit_adaptive(logits, labels)
    assert found is not None
    assert found.power == pytest.approx(power, rel=0.15) and found.temperature == pytest.approx(temperature, rel=0.25)
    scaled = apply_temperature(logits, found.temperature, found.power)
    assert negative_log_likelihood(scaled, labels) == pytest.approx(found.after, abs=1e-9)
    plain = logits / fit_temperature(logits, labels).value
    assert 2 * len(labels) * (negative_log_likelihood(plain, labels) - found.after) > LEAST_RATIO
    others, truth = drawn(6000, classes, 1, temperature, power)
    after = softmax(apply_temperature(others, found.temperature, found.power))
    assert log_loss(after, truth) < log_loss(softmax(others / fit_temperature(logits, labels).value), truth)


def test_a_shape_that_is_not_there_is_seldom_found() -> None:
    found = [fit_adaptive(*drawn(400, 2, seed, 1.5, 1.0)) for seed in range(60)]
    assert sum(one is not None for one in found) <= 8, "about 5 % are expected, 3 of 60"
    assert fit_adaptive(*drawn(399, 2, 0, 1.5, 0.3)) is None and fit_adaptive(*drawn(400, 2, 0, 1.5, 0.3)) is not None


def test_the_unit_of_the_logits_changes_the_temperature_alone() -> None:
    logits, labels = drawn(1500, 3, 2, 1.2, 0.6)
    first, second = fit_adaptive(logits, labels), fit_adaptive(3 * logits, labels)
    assert first is not None and second is not None
    assert second.power == pytest.approx(first.power, rel=1e-4)
    assert second.temperature == pytest.approx(3 * first.temperature, rel=1e-4)
    order = np.random.default_rng(0).permutation(len(labels))
    again = fit_adaptive(logits[order], labels[order])
    assert again is not None and again.power == pytest.approx(first.power, rel=1e-4)


def test_the_formula_and_its_answers() -> None:
    logits = np.array([[1.0, 3.0], [0.0, -8.0], [2.0, 2.0]])
    assert apply_temperature(logits, 2.0).tolist() == (logits / 2).tolist()
    bent = apply_temperature(logits, 2.0, 0.5)
    assert np.diff(bent)[:, 0] == pytest.approx([1.0, -2.0, 0.0]), "margins of 1 and 4 as 1 ** 0.5 and 4 ** 0.5"
    random = np.random.default_rng(3).normal(size=(200, 6)) * 5
    for power in (0.25, 0.7, 4.0):
        assert (apply_temperature(random, 1.3, power).argmax(1) == random.argmax(1)).all()


def test_rows_without_any_difference_and_logits_with_a_limit_are_no_trouble() -> None:
    logits, labels = drawn(400, 2, 5, 1.0, 1.0)
    logits[:40] = 1.0
    fit_adaptive(np.clip(logits, -2, 2), labels)
    huge = fit_adaptive(logits * 1e30, labels)
    assert huge is None or np.isfinite([huge.temperature, huge.power, huge.after]).all()
