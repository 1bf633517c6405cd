from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from runner.tune.study import open_storage, open_study
from runner.tune.trial_pruning import Pruned, trial_watch

pytest.importorskip("optuna")


@pytest.mark.parametrize(("direction", "pruned"), [("minimize", 9.0), ("maximize", 1.0)])
def test_the_pruner_ends_the_worse_trial(direction: Any, pruned: float, tmp_path: Path) -> None:
    where = str(tmp_path / "study.journal")
    study = open_study(open_storage(where), "x", [direction], {"space": []})
    for _ in range(5):  # the median cuts none of the first five
        trial = study.ask()
        trial.report(5.0, 1)
        study.tell(trial, 5.0)
    for value in (1.0, 9.0):
        node = {"trial": study.ask().number, "pruner": "median", "study_name": "x", "storage": where}
        watch = trial_watch(OmegaConf.create(node))
        assert watch is not None
        if value == pruned:
            with pytest.raises(Pruned, match="behind the others"):
                watch(1, value)
        else:
            watch(1, value)


@pytest.mark.parametrize("node", [{"trial": None, "pruner": "median"}, {"trial": 0, "pruner": None}, {}])
def test_a_run_that_is_no_trial_or_has_no_pruner_is_not_watched(node: dict[str, Any]) -> None:
    assert trial_watch(OmegaConf.create(node)) is None
