"""The threshold of a cascade, what is refused with how many rows are needed, and the words of the promise."""

from __future__ import annotations

import numpy as np
import pytest

from runner.cascade.choose import Wanted, choose_threshold, points, sentences, what_more_rows_allow
from runner.cascade.rows import BothAnswers
from runner.errors import ConfigError


def answers(rows: int, harms_below: float = 0.6, seed: int = 0) -> BothAnswers:
    """Answers to rows of two classes: the large model is right, the small one except in a tenth of unsure answers."""
    rng = np.random.default_rng(seed)
    confidence, labels = rng.uniform(0.5, 1, rows), rng.integers(0, 2, rows)
    is_wrong = (confidence < harms_below) & (rng.random(rows) < 0.1)
    place = np.where(is_wrong, 1 - labels, labels)
    small = np.where(np.arange(2) == place[:, None], confidence[:, None], 1 - confidence[:, None])
    return BothAnswers("val", small, np.eye(2)[labels], labels, "b" * 64)


def test_exact_answers_what_is_surely_harmless_and_none_what_seems_so() -> None:
    rows = answers(4000)
    exact = choose_threshold(rows, Wanted(0.005, "exact", 0.05))
    guess = choose_threshold(rows, Wanted(0.005, "none", 0.05))
    assert 0.75 < exact.found.answered / 4000 < guess.found.answered / 4000 < 0.92
    assert exact.found.bound <= 0.005 < guess.found.bound
    assert exact.facts["calibration"].items() >= {"rows": 4000, "split": "val", "guarantee": "exact"}.items()
    assert exact.facts["threshold"] == exact.found.threshold


def test_pairs_that_were_compared_share_the_chance_to_fail() -> None:
    rows = answers(4000)
    alone, of_many = (choose_threshold(rows, Wanted(0.005, "exact", 0.05, count)) for count in (1, 50))
    assert alone.found.bound < of_many.found.bound <= 0.005
    assert of_many.found.answered <= alone.found.answered


def test_too_few_rows_are_refused_with_their_number_and_the_nearest_that_holds() -> None:
    with pytest.raises(ConfigError) as refused:
        choose_threshold(answers(400), Wanted(0.005, "exact", 0.05))
    said = str(refused.value)
    assert "cannot be guaranteed on the 400 rows of val: it takes at least 736 calibration rows" in said
    assert "about 736 rows suffice" in said and "or guarantee=none" in said
    assert "Try: at_most_loss=0.01, with which the small model answers" in said


def test_a_small_model_that_harms_at_once_needs_another_model() -> None:
    rows = answers(2000)
    harmed = BothAnswers("val", rows.small[:, ::-1], rows.large, rows.labels, "b")
    with pytest.raises(
        ConfigError, match="only the large model is right on 40, only the small one on 0; no number of rows suffices"
    ):
        choose_threshold(harmed, Wanted(0.005, "exact", 0.05))


def test_the_promise_in_words() -> None:
    held, seen, answered = sentences(choose_threshold(answers(4000), Wanted(0.005, "exact", 0.05)).facts)
    assert held.startswith("at most 0.5 points of accuracy are lost against the large model on texts like the 4,000")
    assert "1 in 20" in held and "points are lost" in seen and "of texts are answered by the small" in answered
    guess, _ = sentences(choose_threshold(answers(4000), Wanted(0.005, "none", 0.05)).facts)
    assert guess.startswith("no guarantee: on the 4,000 calibration rows of val the accuracy lost is")
    assert [points(share) for share in (0.005, 0.01, -0.0123, 0)] == ["0.5", "1", "-1.23", "0"]


def test_what_more_rows_would_allow_is_said_where_they_would() -> None:
    few = choose_threshold(answers(800, harms_below=0.8), Wanted(0.005, "exact", 0.05))
    assert "calibration rows the small model could answer" in what_more_rows_allow(few)
    same = BothAnswers("val", few.rows.large, few.rows.large, few.rows.labels, "b")
    assert what_more_rows_allow(choose_threshold(same, Wanted(0.005, "exact", 0.05))) == ""
