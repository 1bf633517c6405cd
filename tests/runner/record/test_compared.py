"""A promise counts every model that was compared on the rows it is made on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from runner.record.compared import models_compared
from runner.record.folder import find_record
from tests.runner.compare.folders import write_run, write_sweep

DATA = {"task": "classification", "rows": {}, "primary": "test/accuracy", "selection": "val/accuracy",
        "fingerprints": {"val": "v", "test": "t"}}  # fmt: skip


def a_run(output: Path, seed: int, **changes: Any) -> dict[str, Any]:
    return write_run(output, "model=dsn", seed=seed, **({"data": DATA} | changes))


def compared(output: Path, record: dict[str, Any]) -> int:
    return models_compared(output, find_record(output, record["identity"]))


def test_a_run_by_itself_is_one_model(tmp_path: Path) -> None:
    mine = a_run(tmp_path, 0)
    a_run(tmp_path, 1)  # on the same rows, but nobody compared the two
    assert compared(tmp_path, mine) == 1


def test_every_finished_run_of_its_sweeps_counts_once(tmp_path: Path) -> None:
    runs = [a_run(tmp_path, seed) for seed in range(4)]
    failed = a_run(tmp_path, 4, status="failed")
    other = a_run(tmp_path, 5, data=DATA | {"fingerprints": {"val": "another fold", "test": "t"}})
    write_sweep(tmp_path, [*runs[:3], failed, other], id="aaaaaaaaaa")
    write_sweep(tmp_path, [runs[0], runs[2], runs[3]], id="bbbbbbbbbb")
    write_sweep(tmp_path, [runs[3], other], id="cccccccccc")
    assert [compared(tmp_path, run) for run in runs] == [4, 3, 4, 3]


def test_every_finished_trial_of_a_study_counts_although_an_interruption_made_it_two_sweeps(tmp_path: Path) -> None:
    runs = [a_run(tmp_path, seed) for seed in range(5)]
    write_sweep(tmp_path, runs[:2], id="aaaaaaaaaa", study="one")
    write_sweep(tmp_path, runs[2:4], id="bbbbbbbbbb", study="one")
    write_sweep(tmp_path, runs[4:], id="cccccccccc", study="another")
    assert [compared(tmp_path, run) for run in runs] == [4, 4, 4, 4, 1]


def test_every_recipe_of_a_sweep_over_the_folds_counts_where_folds_calibrate(tmp_path: Path) -> None:
    def of_fold(seed: int, fold: int) -> dict[str, Any]:
        return a_run(tmp_path, seed, data=DATA | {"fingerprints": {"val": f"fold {fold}", "test": "t"}})

    own, others = [of_fold(fold, fold) for fold in range(2)], [of_fold(4 + fold, fold % 2) for fold in range(4)]
    facts = {"method": "temperature", "temperature": 1.0, "folds": [run["identity"] for run in own]}
    prints = {"val": "fold 0", "test": "t", "out_of_fold": "all"}
    whole = a_run(tmp_path, 9, data=DATA | {"calibration": "out_of_fold", "fingerprints": prints}, calibration=facts)
    assert compared(tmp_path, whole) == 1
    write_sweep(tmp_path, [*own, *others], id="aaaaaaaaaa")
    assert compared(tmp_path, whole) == 3, "its own recipe, and the two others' runs on the first fold"


def test_settings_that_a_run_tried_itself_count(tmp_path: Path) -> None:
    tried = [{"settings": f"optimizer.lr={rate}", "third": 0.7, "whole": None} for rate in (0.1, 0.2, 0.3)]
    mine = a_run(
        tmp_path, 0, recipe={"chosen": "optimizer.lr=0.1", "metric": "val/accuracy", "rows": 9, "tried": tried}
    )
    assert compared(tmp_path, mine) == 3


def test_a_damaged_sweep_is_passed_over(tmp_path: Path) -> None:
    mine = a_run(tmp_path, 0)
    (tmp_path / "sweeps" / "dddddddddd").mkdir(parents=True)
    (tmp_path / "sweeps" / "dddddddddd" / "sweep.json").write_text("{", encoding="utf-8")
    assert compared(tmp_path, mine) == 1
