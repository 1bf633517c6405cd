"""Every candidate that did not win is told with its reason, and with its numbers where it was trained."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from runner.best.choice.left_out import left_out
from runner.best.types import Budget, Choice
from tests.runner.best.endings import an_ending


def test_each_trained_candidate_has_its_score_and_the_costs_that_are_limited(tmp_path: Path) -> None:
    ending = an_ending(tmp_path, Budget(max_kb=1000, max_us=45.0))
    assert left_out(ending) == [
        "trained, but not chosen: ngram 0.8500 (34 KB, 41 us), ngram quarter 0.8200 (9.0 KB, 42 us)",
        "over the budget, trained for comparison or as teachers: large 0.9500 (90.0 MB, 43 us)",
        "minilm: needs 22.9 MB, cap 1,000 kB",
        "dsn lr=0.1: skipped: 0.71 after a third of its steps, the best of its kind had 0.80",
    ]


def test_a_refused_candidate_has_its_score_beside_the_cap_that_it_breaks(tmp_path: Path) -> None:
    ending = an_ending(tmp_path, Budget(max_kb=1000))
    reason = "60.0 us per answer, 10.0 over max_us=50"
    refused = replace(ending, ended=(("large", "refused", reason), ("never", "failed", "")))
    told = left_out(refused)
    assert told[-3:-1] == [f"large 0.9500: refused: {reason}", "never: failed"]
    assert "over the budget" not in " ".join(told)


def test_a_failed_candidate_can_be_tried_again(tmp_path: Path) -> None:
    ending = an_ending(tmp_path, Budget(max_kb=1000))
    failed = replace(ending, ended=(("never", "failed", "the disk is full"),))
    assert left_out(failed)[-1].startswith("1 failed, which the same command does not try again. Try: remove the cause")
    assert ending.result.folder in left_out(failed)[-1] and "not try again" not in " ".join(left_out(ending))


def test_where_nothing_wins_all_are_told(tmp_path: Path) -> None:
    ending = replace(an_ending(tmp_path, Budget(max_kb=1000)), choice=None)
    assert left_out(ending)[0].startswith("trained, but not chosen: tiny-1 0.9000 (812 KB), ngram")
    chosen = replace(ending, choice=Choice("tiny-1"), scored=(), others=(), ended=())
    assert left_out(chosen) == ["minilm: needs 22.9 MB, cap 1,000 kB"]
