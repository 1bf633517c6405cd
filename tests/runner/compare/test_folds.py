"""Which runs are folds, and what they share."""

from __future__ import annotations

from pathlib import Path

from runner.compare.folds import by_fold, fold_of, held_out_answers, held_out_metric, is_fold, recipe_settings
from runner.compare.groups import make_groups
from runner.compare.select import Run, select_runs
from tests.runner.compare.folded import right_rows, write_fold
from tests.runner.compare.folders import write_group


def runs_of(output: Path) -> list[Run]:
    return select_runs(output, []).runs


def test_a_run_on_all_rows_is_no_fold(tmp_path: Path) -> None:
    write_group(tmp_path, "model=dsn", "data.folds=5", "data.fold=all", right=[150])
    write_group(tmp_path, "model=dsn", right=[150])
    assert not any(is_fold(run) for run in runs_of(tmp_path))


def test_folds_share_the_reported_rows_and_nothing_of_a_trained_vocabulary(tmp_path: Path) -> None:
    for fold in range(3):
        write_fold(tmp_path, "dsn", fold, right_rows(0.8, 1))
    runs = runs_of(tmp_path)
    found = [recipe_settings(run) for run in runs]
    assert all(settings == found[0] for settings in found) and "tokenizer.fingerprint" not in found[0]
    (group,) = make_groups(runs)
    assert "data.fold" not in group.settings and group.settings["data.folds"] == 5
    assert group.headline == held_out_metric(runs[0]) == "val/accuracy"


def test_runs_are_ordered_by_repeat_fold_and_seed(tmp_path: Path) -> None:
    for repeat, fold, seed in ((1, 0, 0), (0, 2, 1), (0, 2, 0), (0, 1, 0)):
        write_fold(tmp_path, "dsn", fold, right_rows(0.8, 1), repeat, seed)
    found = by_fold(runs_of(tmp_path))
    assert list(found) == [(0, 1), (0, 2), (1, 0)] and list(found[0, 2]) == [0, 1]
    assert [fold_of(run) for run in make_groups(runs_of(tmp_path))[0].members] == [(0, 1), (0, 2), (0, 2), (1, 0)]


def test_missing_answers_are_named(tmp_path: Path) -> None:
    write_fold(tmp_path, "dsn", 0, right_rows(0.8, 1))
    (run,) = runs_of(tmp_path)
    (run.folder / "predictions-val.parquet").unlink()
    assert held_out_answers({(0, 0): run}, "val") == (
        f"run {run.identity} (fold 0) has no readable predictions-val.parquet"
    )
