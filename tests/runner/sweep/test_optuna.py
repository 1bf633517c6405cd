"""How a search with Optuna leaves the sweep of its batches."""

from __future__ import annotations

from types import SimpleNamespace

import optuna
import pytest

from runner.experiment.outcome import Outcome
from runner.sweep.launcher import LocalLauncher
from runner.sweep.optuna import OptunaSweeper


def test_ctrl_c_between_two_batches_closes_the_sweep_as_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    sweeper, study, ended = OptunaSweeper(), SimpleNamespace(study_name="one"), list[bool]()
    sweeper.launcher = LocalLauncher()
    monkeypatch.setattr(sweeper.launcher, "finish", lambda interrupted=False: ended.append(interrupted))
    monkeypatch.setattr(sweeper, "_search", interrupt)
    with pytest.raises(KeyboardInterrupt):
        sweeper._search_as_one_sweep(study, [], {}, "")  # type: ignore[arg-type]
    monkeypatch.setattr(sweeper, "_search", lambda *_: None)
    sweeper._search_as_one_sweep(study, [], {}, "")  # type: ignore[arg-type]
    assert ended == [True, False] and sweeper.launcher.in_batches and sweeper.launcher.study == "one"


def test_a_trial_without_a_record_keeps_why_it_failed() -> None:
    study = optuna.create_study()
    trial = study.ask()
    outcome = Outcome(exit_code=1, reason="out of memory: held 2.00 GB, more than sweep.memory_gb=1")
    OptunaSweeper()._tell(study, trial, outcome)
    (told,) = study.trials
    assert told.state.name == "FAIL" and told.user_attrs["reason"] == outcome.reason
