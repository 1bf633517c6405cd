"""Settings that leave nothing to fit are refused, each with the cure."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runner.errors import ConfigError
from runner.training.ngram.check import check_fit
from tests.runner.training.ngram.rows import SETTINGS, review_splits


def test_settings_that_leave_nothing_to_fit_are_refused() -> None:
    splits, _ = review_splits()
    check_fit(splits, replace(SETTINGS, max_kb=1))
    with pytest.raises(ConfigError, match=r"model\.min_df=601: .* 600 training rows.*model\.min_df=1"):
        check_fit(splits, replace(SETTINGS, min_df=601))
    splits.task = replace(splits.task, label_names=tuple(f"a class with a long name {place}" for place in range(40)))
    with pytest.raises(ConfigError, match=r"model\.max_kb=1: .* Try: model\.max_kb=[2-9]"):
        check_fit(splits, replace(SETTINGS, max_kb=1))
