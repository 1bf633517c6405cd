"""Mistakes in launchers, sweepers and their settings, found before Hydra starts anything."""

from __future__ import annotations

import pytest

from runner.config import check_hydra
from runner.config.check import check_overrides

CASES = [
    (["hydra/launcher=slurm"], "no such launcher"),
    (["hydra/sweeper=optuna", "hydra.sweeper.n_trialls=3"], "did you mean hydra.sweeper.n_trials"),
    (["hydra/sweeper=optuna", "hydra.sweeper.trials=30"], "did you mean hydra.sweeper.n_trials"),
    (["hydra/sweeper=optuna", "hydra.sweeper.trial=30", "seed=0,1"], "hydra.sweeper.n_trials=30"),
    (["hydra/sweeper=optuna", "hydra.sweeper.trial=null", "seed=0,1"], "hydra.sweeper.n_trials=20"),
    (["hydra/sweeper=optuna", "hydra.sweeper.n_trials=0", "seed=0,1"], "at least 1"),
    (["hydra/sweeper=optuna", "hydra.sweeper.n_trials=1,2"], "cannot be swept themselves"),
    (["hydra/sweeper=optuna", "seed=0"], "nothing to search"),
]


@pytest.mark.parametrize(("words", "expected"), CASES)
def test_a_mistake_has_one_line_with_the_cure(words: list[str], expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_hydra, "EXTRAS", {})
    (problem,) = check_overrides(words, multirun=True)
    assert expected in problem and "Try: " in problem


def test_a_search_is_several_runs() -> None:
    pytest.importorskip("optuna")
    (problem,) = check_overrides(["hydra/sweeper=optuna", "seed=0"])
    assert "makes several runs. Try: run -m" in problem


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_hydra, "EXTRAS", {"hydra/launcher=ray": ("no_such_module.at_all", "ray")})
    (problem,) = check_overrides(["hydra/launcher=ray"], multirun=True)
    assert "pip install 'bertier[ray]'" in problem
