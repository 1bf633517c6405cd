"""Folds are repeats of one recipe: both verdicts, seeds averaged first, and what is refused."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest

from runner.compare.analyse import analyse
from runner.compare.export import run_records, write_groups_csv
from runner.compare.group_pairs import FoldPaired
from runner.compare.pairs import Refused
from runner.compare.rows import Comparison, Row
from runner.compare.select import select_runs
from runner.compare.table import markdown
from runner.statistics.paired import clustered_mcnemar_p, mcnemar_p
from runner.statistics.resampled import corrected_t
from tests.runner.compare.folded import FOLDS, ROWS, right_rows, write_fold, write_own_fold
from tests.runner.compare.folders import write_group


def compared(output: Path, baseline: str = "model=dsn", metric: str | None = None) -> Comparison:
    return analyse(select_runs(output, []), baseline=baseline, metric=metric)


def row_of(comparison: Comparison, name: str) -> Row:
    (row,) = [row for row in comparison.rows if name in row.group.name]
    return row


def shares(right: np.ndarray, repeat: int = 0) -> np.ndarray:
    """The accuracy on each fold."""
    fold = np.random.default_rng(repeat).permutation(len(right)) % FOLDS
    return np.array([right[fold == one].mean() for one in range(FOLDS)])


def write_folds(output: Path, model: str, right: np.ndarray, repeats: int = 1, seeds: int = 1) -> None:
    for repeat in range(repeats):
        for fold in range(FOLDS):
            for seed in range(seeds):
                write_fold(output, model, fold, right, repeat, seed)


def test_folds_are_one_group_with_both_verdicts(tmp_path: Path) -> None:
    mine, other = right_rows(0.9, 1), right_rows(0.6, 2)
    write_folds(tmp_path, "bert-tiny", mine)
    write_folds(tmp_path, "dsn", other)
    row = row_of(compared(tmp_path), "bert-tiny")
    assert (row.metric, row.n, len(row.group.members)) == ("val/accuracy", 5, 5)
    found, expected = row.paired, corrected_t((shares(mine) - shares(other)).tolist(), 1 / 4)
    assert isinstance(found, FoldPaired) and expected is not None
    assert (found.p, found.low, found.high) == pytest.approx((expected.p, expected.low, expected.high))
    assert found.p_seeds is None
    assert found.p_examples == pytest.approx(mcnemar_p(int((mine & ~other).sum()), int((other & ~mine).sum())))
    assert found.in_words() == f"better by {expected.mean:.4f}, for models trained on rows like these"
    assert found.models_in_words().startswith("better on 100 rows held out, p ")


def test_the_verdict_on_these_models_is_of_all_rows_and_not_of_the_mean_over_folds(tmp_path: Path) -> None:
    rows = np.arange(ROWS)
    small, large = rows[:10], rows[10:]
    for model, right in (("bert-tiny", rows >= 10), ("dsn", rows < 70)):
        for fold, held in (("a", small), ("b", large)):
            write_own_fold(tmp_path, model, fold, right, held=held)
    found = row_of(compared(tmp_path), "bert-tiny").paired
    assert isinstance(found, FoldPaired) and found.difference == pytest.approx((-1 + 1 / 3) / 2)
    assert found.models_difference == pytest.approx(0.2) and found.models_low < 0.2 < found.models_high
    assert found.models_in_words().startswith("better on 100 rows held out, p ")


def test_the_interval_of_a_group_is_corrected_and_no_seed_interval(tmp_path: Path) -> None:
    right = right_rows(0.8, 1)
    write_folds(tmp_path, "dsn", right)
    intervals, expected = row_of(compared(tmp_path), "dsn").intervals, corrected_t(shares(right).tolist(), 1 / 4)
    assert expected is not None and intervals.folds is not None and intervals.both is intervals.folds
    assert (intervals.folds.low, intervals.folds.high) == pytest.approx((expected.low, min(1.0, expected.high)))
    assert intervals.seeds is None
    assert intervals.examples is not None and intervals.examples.over == "100 rows held out"


def test_seeds_within_a_fold_are_averaged_first_and_repeats_are_clusters(tmp_path: Path) -> None:
    mine, other = right_rows(0.8, 3), right_rows(0.75, 4)
    write_folds(tmp_path, "bert-tiny", mine, repeats=2, seeds=2)
    write_folds(tmp_path, "dsn", other, repeats=2, seeds=2)
    row = row_of(compared(tmp_path), "bert-tiny")
    found = row.paired
    differences = [*(shares(mine) - shares(other)), *(shares(mine, 1) - shares(other, 1))]
    expected = corrected_t(differences, 1 / 4)
    assert isinstance(found, FoldPaired) and expected is not None
    assert (row.n, found.folds, found.p) == (10, 10, pytest.approx(expected.p))
    assert found.p_examples == pytest.approx(clustered_mcnemar_p(mine.astype(float) - other))
    assert found.in_words() == "no difference visible with 10 folds, for models trained on rows like these"
    assert found.models_in_words() == "no difference visible with 100 rows held out"


def test_a_run_that_one_recipe_lacks_is_left_out_and_without_answers_there_is_no_test(tmp_path: Path) -> None:
    mine, other = right_rows(0.9, 1), right_rows(0.6, 2)
    write_folds(tmp_path, "bert-tiny", mine, seeds=2)
    for fold in range(FOLDS):
        for seed in range(2 if fold != 2 else 1):
            write_fold(tmp_path, "dsn", fold, other, 0, seed)
    found = row_of(compared(tmp_path), "bert-tiny").paired
    assert isinstance(found, FoldPaired) and (found.folds, found.seeds) == (FOLDS, [0, 1])
    assert found.difference == pytest.approx((shares(mine) - shares(other)).mean())
    assert found.p_examples == pytest.approx(mcnemar_p(int((mine & ~other).sum()), int((other & ~mine).sum())))
    for path in tmp_path.glob("*/predictions-val.parquet"):
        path.unlink()
    refused = row_of(compared(tmp_path), "bert-tiny").paired
    assert isinstance(refused, Refused) and "has no readable predictions-val.parquet" in refused.reason


def test_a_table_of_folds_advises_repeats_with_the_number_of_runs(tmp_path: Path) -> None:
    write_folds(tmp_path, "bert-tiny", right_rows(0.9, 1), seeds=2)
    write_folds(tmp_path, "dsn", right_rows(0.6, 2), seeds=2)
    page = markdown(compared(tmp_path), "compared", None)
    assert "5 x 5 are advised, 40 more runs per recipe: data.fold_seed=0,1,2,3,4" in page
    assert "corrected resampled t" in page and "paired t test over seeds" not in page
    assert "| 1 x 5 |" in page and "these models" in page


def test_folds_and_other_runs_are_not_compared_nor_is_a_score_of_the_reported_rows(tmp_path: Path) -> None:
    write_folds(tmp_path, "bert-tiny", right_rows(0.9, 1))
    write_folds(tmp_path, "dsn", right_rows(0.6, 2))
    found = row_of(compared(tmp_path, metric="test/accuracy"), "bert-tiny").paired
    assert isinstance(found, Refused) and "folds are repeats only for held-out rows" in found.reason
    write_group(tmp_path, "model=eelbert", right=[150, 140])
    rows = compared(tmp_path, "model=eelbert").rows
    assert [row.metric for row in rows if row.group.is_folded] == ["val/accuracy", "val/accuracy"]
    assert all(isinstance(row.paired, Refused) for row in rows if row.group.is_folded)


def test_one_fold_and_equal_answers_are_no_test_of_recipes(tmp_path: Path) -> None:
    mine, other = right_rows(0.9, 1), right_rows(0.3, 2)
    write_fold(tmp_path, "bert-tiny", 0, mine)
    write_fold(tmp_path, "dsn", 0, other)
    found = row_of(compared(tmp_path), "bert-tiny").paired
    assert isinstance(found, FoldPaired) and found.in_words() == "recipes not tested: one fold"
    write_folds(tmp_path, "eelbert", other)
    write_folds(tmp_path, "dsn", other)
    found = row_of(compared(tmp_path), "eelbert").paired
    assert isinstance(found, FoldPaired) and found.models_in_words() == "the same answers to 100 rows held out"
    assert found.in_words() == "no difference visible with 5 folds, for models trained on rows like these"


def test_files_name_the_folds_and_both_verdicts(tmp_path: Path) -> None:
    write_folds(tmp_path, "bert-tiny", right_rows(0.9, 1))
    write_folds(tmp_path, "dsn", right_rows(0.6, 2))
    comparison, stream = compared(tmp_path), io.StringIO()
    write_groups_csv(comparison, stream)
    best, base = csv.DictReader(io.StringIO(stream.getvalue()))
    assert best["folds"] == "0/0 0/1 0/2 0/3 0/4" and best["interval"] == "corrected t over 5 folds"
    assert float(best["p_folds"]) == float(best["p_holm"]) and best["p_seeds"] == best["bootstrap_low"] == ""
    assert best["models_verdict"].startswith("better on 100 rows held out") and base["models_verdict"] == ""
    assert sorted(line["fold"] for line in run_records(comparison)[:5]) == [0, 1, 2, 3, 4]


def test_a_repeat_that_lacks_a_fold_does_not_count_for_these_models(tmp_path: Path) -> None:
    mine, other = right_rows(0.9, 1), right_rows(0.6, 2)
    write_folds(tmp_path, "bert-tiny", mine)
    write_folds(tmp_path, "dsn", other)
    for model, right in (("bert-tiny", mine), ("dsn", other)):
        write_fold(tmp_path, model, 0, right, repeat=1)
    comparison = compared(tmp_path)
    found = row_of(comparison, "bert-tiny").paired
    assert isinstance(found, FoldPaired) and (found.folds, found.examples) == (6, 100)
    assert any("4 of 10 are missing" in note for note in comparison.notes)


def test_rows_that_differ_between_folds_are_refused_as_such_whichever_fold_ran_first(tmp_path: Path) -> None:
    for model, first in (("dsn", "a"), ("bert-tiny", "b")):
        for fold in "ab":
            day = 1 if fold == first else 2
            write_own_fold(tmp_path, model, fold, right_rows(0.8, 1), started=f"2026-01-0{day}T00:00:00.000Z")
    found = row_of(compared(tmp_path, metric="val/accuracy"), "bert-tiny")
    assert found.verdict.startswith("not compared: folds are repeats only for held-out rows, not for val/accuracy")
