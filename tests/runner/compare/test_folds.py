"""Which runs are folds, and what they share."""

from __future__ import annotations

from pathlib import Path

from runner.compare.analyse import analyse
from runner.compare.folds import (
    advice,
    by_fold,
    fold_of,
    held_out_answers,
    held_out_metric,
    held_out_share,
    is_fold,
    recipe_settings,
    scores_over_all,
    text_of,
)
from runner.compare.group_pairs import FoldPaired
from runner.compare.groups import make_groups
from runner.compare.select import Run, select_runs
from tests.runner.compare.folded import right_rows, write_fold, write_own_fold
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


def test_all_folds_of_a_recipe_show_the_way_to_a_model_of_all_rows(tmp_path: Path) -> None:
    for fold in range(4):
        write_fold(tmp_path, "dsn", fold, right_rows(0.8, 1))
    assert not any("data.calibration=folds" in line for line in advice(runs_of(tmp_path))), "one fold is missing"
    write_fold(tmp_path, "dsn", 4, right_rows(0.8, 1))
    assert advice(runs_of(tmp_path))[-1].endswith("by such runs: data.fold=all data.calibration=folds")


def test_missing_answers_are_named(tmp_path: Path) -> None:
    write_fold(tmp_path, "dsn", 0, right_rows(0.8, 1))
    (run,) = runs_of(tmp_path)
    (run.folder / "predictions-val.parquet").unlink()
    assert held_out_answers({(0, 0): run}, "val") == (
        f"run {run.identity} (fold 0) has no readable predictions-val.parquet"
    )


def test_the_own_folds_of_a_data_set_are_one_set_of_answers(tmp_path: Path) -> None:
    right = {model: right_rows(share, seed) for seed, (model, share) in enumerate((("dsn", 0.7), ("bert-tiny", 0.9)))}
    for model, rows in right.items():
        for fold in "abcde":
            write_own_fold(tmp_path, model, fold, rows)
    found = analyse(select_runs(tmp_path, []), baseline="model=dsn")
    best, base = found.rows
    assert [row.group.name for row in found.rows] == ["model=bert-tiny", "model=dsn"]
    assert (best.metric, best.n, best.group.headline) == ("test/accuracy", 5, "test/accuracy")
    for row in found.rows:
        share = right[str(row.group.settings["model.name"])].mean()
        told = f"{row.group.name}: test/accuracy over all 100 rows held out, each answered once: {share:.4f}"
        assert any(told in note for note in found.notes)
        assert row.intervals.examples and row.intervals.examples.over == "100 rows held out"
    assert isinstance(best.paired, FoldPaired) and best.paired.examples == 100 and best.paired.folds == 5
    assert text_of(base.group.settings, base.group.runs) == "5"
    assert not any("are never held out" in note for note in found.notes)


def test_the_share_held_out_by_own_folds_of_unequal_sizes_is_of_all_of_them(tmp_path: Path) -> None:
    for fold in "abcde":
        write_own_fold(tmp_path, "dsn", fold, right_rows(0.8, 1))
    runs = runs_of(tmp_path)
    assert held_out_share(runs) == 20 / 70
    runs[0].record.data.rows.update(train=30, test=60)
    assert held_out_share(runs) == held_out_share(runs[::-1]) == (60 + 4 * 20) / (30 + 4 * 70)


def test_rows_that_no_own_fold_has_held_out_are_told(tmp_path: Path) -> None:
    for fold in "ad":
        for seed in (0, 1):
            write_own_fold(tmp_path, "dsn", fold, right_rows(0.8, seed), seed)
    runs = runs_of(tmp_path)
    assert list(by_fold(runs)) == [(0, "a"), (0, "d")]
    assert advice(runs) == ["folds: 60 of 100 rows are never held out. Try: further values of data.fold"]
    rows, values = scores_over_all(runs, "test/accuracy") or (0, [])
    assert rows == 40 and len(values) == 2
    assert scores_over_all(runs, "val/accuracy") is None
