"""Times of both models and of their cascade, each text in turns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from runner.cascade.pair import open_pair
from runner.cascade.rows import read_data
from runner.cascade.timing import Times, texts_to_time, time_cascade
from runner.deploy.cascade import CascadePredictor
from runner.deploy.predictors import open_predictor
from tests.runner.cascade.runs import LARGE, SMALL, texts_of

AUTO = {"small": "auto", "large": "auto"}


def test_formula_counts_the_large_model_only_where_it_answers() -> None:
    times = Times(np.array([1.0, 1, 1, 1]), np.array([9.0, 9, 9, 13]), np.array([1.0, 1, 1, 14]),
                  np.array([True, True, True, False]))  # fmt: skip
    assert times.formula == pytest.approx(1 + 13 / 4)
    assert times.typical == pytest.approx(3 / 4 * 1 + 1 / 4 * 14), "the medians of the texts of either model"
    assert [times.percentile(share) for share in (0.5, 0.9, 1)] == [1, 14, 14]


def test_golden_costs() -> None:
    """c_s = 0.05, c_g = 2: with 80 % answered by the small model 0.45, with 90 % 0.25."""
    for share, mean in ((0.8, 0.45), (0.9, 0.25)):
        by_small = np.arange(100) < 100 * share
        assert Times(np.full(100, 0.05), np.full(100, 2.0), np.zeros(100), by_small).formula == pytest.approx(mean)


def test_texts_are_asked_of_all_three(place: Path) -> None:
    pair = open_pair({"small": SMALL, "large": LARGE}, place / "outputs", AUTO)
    rows = read_data(pair.large, "test", place / "cache")
    assert not isinstance(rows, str)
    texts = texts_to_time(rows, "test")
    (column,) = texts.columns
    assert len(set(column)) == len(column) == len(texts.labels) > 50
    whole, raw = texts_of(rows, "test"), rows.raw.splits["test"]
    assert [raw.labels.values[whole.index(text)] for text in column] == texts.labels.tolist()
    small, large = (open_predictor(side.model) for side in pair.sides)
    threshold = float(np.median([max(one["probabilities"].values()) for one in small(column)]))
    times = time_cascade(CascadePredictor(pair.large.model, small, large, threshold), texts, 0.3, 1)
    assert len(times.small) == len(times.large) == len(times.cascade) == len(times.by_small) >= 3
    assert times.small.mean() < times.large.mean(), "a bag of words against layers"
