"""Choosing on the selection split, and temperatures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from runner.training.ngram import choosing
from runner.training.ngram.choosing import _is_far_behind, choose, fit_temperature
from runner.training.ngram.problem import Problem
from runner.training.ngram.pruning import likely_count
from runner.training.ngram.solve import Linear, Logistic
from tests.runner.training.ngram.rows import SETTINGS, review_splits

fit = Logistic.fit


def test_a_temperature_is_kept_only_where_it_lowers_the_log_loss() -> None:
    random = np.random.default_rng(0)
    scores = random.normal(size=4000)
    labels = (random.random(4000) < 1 / (1 + np.exp(-scores))).astype(int)
    outputs = np.stack([np.zeros(4000), scores], axis=1)
    assert fit_temperature(outputs, labels) == 1.0
    assert fit_temperature(3 * outputs, labels) == pytest.approx(3.0, rel=0.06)


def test_the_selection_split_chooses_weighting_and_strength() -> None:
    splits, task = review_splits()
    problem = Problem(task, SETTINGS, splits.train, lambda: None)
    found = choose(problem, splits.select)
    assert len(problem.solver.strengths) < found.tried <= len(problem.weightings) * len(problem.solver.strengths)
    assert found.weighting in ("nb", "presence") and found.strength in problem.solver.strengths
    assert 0.7 < found.score < 0.95 and found.chosen_by == 200 and found.contained == 0


def test_a_long_search_is_announced_after_its_first_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    splits, task = review_splits()
    said, fits = list[str](), list[int]()
    monkeypatch.setattr(Logistic, "fit", lambda *given: fits.append(len(said)) or fit(*given))
    problem = Problem(task, SETTINGS, splits.train, lambda: None, tell=said.append)
    choose(problem, splits.select)
    assert said == [], "it takes milliseconds"
    fits.clear()
    monkeypatch.setattr(choosing, "LONG_S", 0.0)
    choose(problem, splits.select)
    assert said == ["the first of up to 8 settings of the n-gram model took 0 s"]
    assert fits[:2] == [0, 1]


def test_the_temperature_is_that_of_the_chosen_outputs_and_small_gains_are_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    splits, task = review_splits()
    asked = list[np.ndarray]()
    monkeypatch.setattr(choosing, "fit_temperature", lambda outputs, labels: asked.append(outputs) or 0.77)
    found = choose(Problem(task, SETTINGS, splits.train, lambda: None), splits.select)
    labels = np.asarray(splits.select.known_labels)
    assert found.temperature == 0.77 and np.mean(asked[0].argmax(1) == labels) == found.score
    random = np.random.default_rng(0)
    scores = random.normal(size=4000)
    truth = (random.random(4000) < 1 / (1 + np.exp(-scores))).astype(int)
    for sharper, kept in ((1.15, 1.0), (1.6, 1.6)):
        assert fit_temperature(sharper * np.stack([np.zeros(4000), scores], axis=1), truth) == pytest.approx(
            kept, rel=0.06
        )


def test_weights_that_do_not_fit_are_dropped_while_choosing(monkeypatch: pytest.MonkeyPatch) -> None:
    splits, task = review_splits(3)
    problem = Problem(task, replace(SETTINGS, max_kb=0.02), splits.train, lambda: None)
    used: list[int] = []

    def count(self: Logistic, *given: Any) -> Linear:
        found: Linear = fit(self, *given)
        used.append(int(np.count_nonzero(found.weights)))
        return found

    monkeypatch.setattr(Logistic, "fit", count)
    assert choose(problem, splits.select).tried > 0
    most = likely_count(0.02)
    assert used[0] > most and max(used[1 : 1 + len(problem.solver.strengths)]) <= most


def test_where_every_training_text_is_held_out_too_nothing_is_chosen() -> None:
    splits, task = review_splits()
    found = choose(Problem(task, SETTINGS, splits.select, lambda: None), splits.select)
    assert np.isnan(found.score) and found.temperature == 1.0 and found.chosen_by == found.tried == 0


def test_a_weighting_that_is_far_behind_is_not_fitted_at_every_strength(monkeypatch: pytest.MonkeyPatch) -> None:
    splits, task = review_splits()
    problem = Problem(task, SETTINGS, splits.train, lambda: None)
    part, held = problem, splits.select
    known, labels = part.known(held, part.counted.hashes), np.asarray(held.known_labels)
    perfect = np.eye(2)[labels]
    assert _is_far_behind(part, "presence", held, known, (1.0, "nb", 0.3, perfect))
    assert not _is_far_behind(part, "presence", held, known, (0.0, "nb", 0.3, perfect))
    assert not _is_far_behind(part, "presence", held, known, (1.0, "nb", 0.3, 1 - perfect))
    strengths = []
    monkeypatch.setattr(choosing, "_is_far_behind", lambda *_: True)
    monkeypatch.setattr(Logistic, "fit", lambda self, *found: strengths.append(found[2]) or fit(self, *found))
    assert choose(problem, held).weighting == "nb" and tuple(strengths) == problem.solver.strengths
