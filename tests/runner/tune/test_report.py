from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runner.tune.report import best_trials, command, ending_of, show_study

optuna = pytest.importorskip("optuna")


def study_of(directions: list[str], values: list[list[float]]) -> Any:
    """A study whose trials searched a learning rate and came to these values."""
    study = optuna.create_study(directions=directions, study_name="x")
    for number, value in enumerate(values):
        distributions = {"optimizer.lr": optuna.distributions.FloatDistribution(0.0, 1.0)}
        trial = optuna.trial.create_trial(
            params={"optimizer.lr": number / 10}, distributions=distributions, values=value,
            user_attrs={"run": f"run{number}"},
        )  # fmt: skip
        study.add_trial(trial)
    return study


def test_the_best_trial_and_the_line_that_repeats_it_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    study = study_of(["maximize"], [[0.5], [0.9], [0.7]])
    study.tell(study.ask(), state=optuna.trial.TrialState.FAIL)
    assert show_study(study, ["select"], ["model=dsn", "data.path=a b.csv"], "study.journal", Path("elsewhere"))
    said = capsys.readouterr().out
    assert "3 complete, 1 interrupted" in said and "best trial" in said and "run0" not in said
    assert "again: run model=dsn 'data.path=a b.csv' optimizer.lr=0.1\n" in said
    assert "its record: run show run1 paths.output=elsewhere\n" in said


def test_a_study_without_a_complete_trial_has_no_best_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert not show_study(study_of(["maximize"], []), ["select"], [], "study.journal", Path("outputs"))
    assert "no trial finished" in capsys.readouterr().out


def test_of_several_objectives_all_trials_are_best_that_no_other_beats() -> None:
    study = study_of(["maximize", "minimize"], [[0.5, 10.0], [0.9, 30.0], [0.4, 20.0]])
    assert [trial.number for trial in best_trials(study)] == [1, 0], "the highest score first"
    assert command(best_trials(study)[1], []) == "run optimizer.lr=0.0"


def test_trials_of_equal_settings_are_one_line() -> None:
    study = study_of(["maximize", "minimize"], [[0.5, 10.0], [0.9, 30.0]])
    study.add_trials(study.get_trials())
    assert [trial.number for trial in best_trials(study)] == [1, 0]


def test_a_failed_trial_without_a_reason_was_interrupted() -> None:
    failed = optuna.trial.create_trial(state=optuna.trial.TrialState.FAIL)
    reasoned = optuna.trial.create_trial(state=optuna.trial.TrialState.FAIL, user_attrs={"reason": "x"})
    assert (ending_of(failed), ending_of(reasoned)) == ("interrupted", "failed")


def test_many_searched_settings_fit_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    study = optuna.create_study(direction="maximize", study_name="x")
    names = [f"compression.prune.setting_{number}" for number in range(8)]
    distributions = dict.fromkeys(names, optuna.distributions.FloatDistribution(0.0, 1.0))
    params = dict.fromkeys(names, 0.123456)
    study.add_trial(optuna.trial.create_trial(params=params, distributions=distributions, values=[0.91234]))
    monkeypatch.setattr("runner.tune.report.widen", lambda _: None)
    monkeypatch.setenv("COLUMNS", "80")
    assert show_study(study, ["val/accuracy"], [], "study.journal", Path("outputs"))
    table = capsys.readouterr().out.split("again:")[0]
    assert "0.91234" in table and max(map(len, table.splitlines())) <= 80
    assert all(f"{name}=0.123456" in table for name in names), "no name and no number is broken"
