"""How a search with Optuna leaves the sweep of its batches."""

from __future__ import annotations

from types import SimpleNamespace

import optuna
import pytest

from runner.config.compose import parsed
from runner.errors import ConfigError
from runner.experiment.outcome import Outcome
from runner.sweep.launcher import LocalLauncher
from runner.sweep.optuna import OptunaSweeper
from runner.tune.space import split_overrides


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


def test_a_mistake_of_all_trials_is_refused_before_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    sweeper, ranges = OptunaSweeper(), split_overrides([parsed("model.dims=choice(7,8)"), parsed("data=files")])[1]
    problems = {("data=files",): "no such file", ("data=files", "model.dims=7"): "no such file"}
    monkeypatch.setattr(sweeper, "problem_of", lambda words: problems.get(tuple(words)))
    with pytest.raises(ConfigError, match="no such file"):
        sweeper._refuse_all(["data=files"], ranges)
    problems["data=files", "model.dims=7"] = "an odd number of dimensions"
    sweeper._refuse_all(["data=files"], ranges)


def test_a_trial_whose_file_is_missing_fails_alone_and_is_not_launched(monkeypatch: pytest.MonkeyPatch) -> None:
    sweeper, study = OptunaSweeper(), optuna.create_study()
    monkeypatch.setattr(sweeper, "problem_of", lambda words: "no such file" if words == ["data.path=b.csv"] else None)
    assert [sweeper._refuse(study, study.ask(), [f"data.path={name}.csv"]) for name in "ab"] == [False, True]
    assert [trial.state.name for trial in study.trials] == ["RUNNING", "FAIL"]
    assert study.trials[1].user_attrs["reason"] == "no such file"
