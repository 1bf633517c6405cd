"""The calibration error and its floor: values by hand, any order of rows, a perfect model near the floor."""

from __future__ import annotations

import numpy as np
import pytest

from runner.statistics.ece import ece, ece_debiased, ece_equal_width, ece_floor, equal_mass_edges, reliability_bins

CONFIDENCE = np.array([0.55, 0.6, 0.6, 0.7, 0.8, 0.8, 0.9, 0.9, 0.95, 1])
RIGHT = np.array([0, 1, 0, 1, 1, 0, 1, 1, 1, 1], bool)


def test_values_by_hand() -> None:
    assert ece(CONFIDENCE, RIGHT, 5) == pytest.approx(0.19, abs=1e-12)
    assert np.diff(equal_mass_edges(CONFIDENCE, 5)).tolist() == [3, 1, 2, 2, 2]
    assert ece(CONFIDENCE, RIGHT, 2) == pytest.approx(0.13, abs=1e-12)
    assert ece(np.full(10, 0.7), np.arange(10) < 8) == pytest.approx(0.1, abs=1e-12)
    assert ece_equal_width(CONFIDENCE, RIGHT, 5) == pytest.approx(0.13, abs=1e-12)
    assert ece_equal_width(CONFIDENCE, RIGHT, 10) == pytest.approx(0.19, abs=1e-12)


def test_bins_of_equal_width_include_their_upper_end_and_zero_is_in_the_first() -> None:
    confidence = np.array([0.0, 0.05, 0.1, 0.2, 0.2, 0.25, 0.3, 1.0])
    right = np.array([0, 0, 0, 1, 0, 0, 0, 1], bool)
    gaps = 0.15, 0.4 - 1, 0.55, 1.0 - 1  # of 0..0.1, 0.1..0.2, 0.2..0.3 and 0.9..1
    assert ece_equal_width(confidence, right, 10) == pytest.approx(np.abs(gaps).sum() / 8)


def test_the_order_of_rows_changes_nothing() -> None:
    random = np.random.default_rng(3)
    confidence = random.random(500).round(2) / 2 + 0.5  # with many ties
    right = random.random(500) < confidence
    whole = ece(confidence, right), ece_equal_width(confidence, right), ece_floor(confidence, draws=5)
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(500)
        found = ece(confidence[order], right[order]), ece_equal_width(confidence[order], right[order])
        assert found == pytest.approx(whole[:2], abs=1e-12)
        assert ece_floor(confidence[order], draws=5) == whole[2]


def test_no_bin_cuts_equal_confidences_apart() -> None:
    ordered = np.sort(np.random.default_rng(0).integers(0, 20, 300))
    edges = equal_mass_edges(ordered, 15)
    assert edges[0] == 0 and edges[-1] == 300 and (np.diff(edges) > 0).all()
    assert (ordered[edges[1:-1]] > ordered[edges[1:-1] - 1]).all()


def test_a_perfect_model_has_a_positive_error() -> None:
    small, large = ece_floor(np.linspace(0.5, 1, 872)), ece_floor(np.linspace(0.5, 1, 9824), draws=100)
    assert small.mean == pytest.approx(0.040581, abs=5e-7) and small.high == pytest.approx(0.055406, abs=5e-7)
    assert large.mean == pytest.approx(0.012544, abs=5e-7)


def test_without_the_floor_a_perfect_model_has_next_to_none() -> None:
    confidence, generator = np.linspace(0.5, 1, 9824), np.random.default_rng(0)
    floor = ece_floor(confidence, draws=100).mean
    found = [ece_debiased(ece(confidence, generator.random(9824) < confidence), floor) for _ in range(100)]
    assert np.mean(found) == pytest.approx(0.0031, abs=5e-5) and max(found) == pytest.approx(0.0158, abs=5e-5)


def test_bins_of_a_diagram_hold_all_rows_and_a_perfect_model_lies_in_their_bands() -> None:
    random = np.random.default_rng(0)
    confidence = random.random(2000) / 2 + 0.5
    bins = reliability_bins(confidence, random.random(2000) < confidence)
    assert sum(one.count for one in bins) == 2000 and len(bins) == 15
    assert sum(one.low <= one.right <= one.high for one in bins) >= 12
    order = np.argsort(confidence)
    parts = np.split(confidence[order], np.cumsum([one.count for one in bins])[:-1])
    assert [one.confidence for one in bins] == pytest.approx([part.mean() for part in parts])
    wrong = reliability_bins(confidence, np.zeros(2000, bool))
    assert all(one.right == 0 < one.low for one in wrong)
    (one,) = reliability_bins(np.full(4, 0.5), np.array([1, 0, 1, 0]))
    assert (one.count, one.confidence, one.right) == (4, 0.5, 0.5)
