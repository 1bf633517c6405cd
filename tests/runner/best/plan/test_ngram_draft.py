from __future__ import annotations

import numpy as np
import pytest

from data.load import Rows
from data.stores.build_once import SharedCache
from runner.best.plan.draft import Drawer
from runner.best.plan.ngram_draft import guess_ngrams, guess_weights, ngram_draft
from runner.errors import ConfigError
from runner.tasks.make import task_of_labels
from runner.training.ngram.problem import Problem
from tests.runner.best.conftest import DEMO, settings_of


def test_guessed_weights_point_the_way_of_fitted_ones(demo_rows: Rows, shared_cache: SharedCache) -> None:
    settings = settings_of(*DEMO, "model=ngram")
    task, train = task_of_labels(demo_rows.task, settings), Drawer(demo_rows, shared_cache).split(settings, "train")
    problem = Problem(task, settings.model, train, lambda: None)
    guessed = guess_weights(problem)
    fitted = problem.solver.fit(problem.counted.presence, problem.scales("presence", problem.counted), 1.0)
    assert np.corrcoef(guessed.weights[0], fitted.weights[0])[0, 1] > 0.9


def test_rows_without_a_common_word_have_no_draft(demo_rows: Rows, shared_cache: SharedCache) -> None:
    settings = settings_of(*DEMO, "model=ngram", "model.min_df=10000")
    task, train = task_of_labels(demo_rows.task, settings), Drawer(demo_rows, shared_cache).split(settings, "train")
    with pytest.raises(ConfigError, match=r"no word is in that many of the .* training rows\. Try: model\.min_df=1"):
        guess_ngrams(settings, task, train)


def test_the_cap_decides_how_many_stay(demo_rows: Rows, shared_cache: SharedCache) -> None:
    drawer, found = Drawer(demo_rows, shared_cache), {}
    for kb in (1, 200):
        settings = settings_of(*DEMO, "model=ngram", f"model.max_kb={kb}", "model.min_df=1")
        task = task_of_labels(demo_rows.task, settings)
        guessed = guess_ngrams(settings, task, drawer.split(settings, "train"))
        found[kb] = ngram_draft(guessed, settings, task)
    assert found[1].is_capped and not found[200].is_capped
    assert found[1].grams == found[200].grams and 0 < found[1].least < 1000
