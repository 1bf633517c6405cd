from __future__ import annotations

from pathlib import Path

import pytest

from runner.errors import ConfigError
from runner.tune.settings import SearchSettings
from runner.tune.study import (
    count_finished,
    hold_study,
    make_sampler,
    open_storage,
    open_study,
    requeue_interrupted,
    study_name,
)  # fmt: skip

optuna = pytest.importorskip("optuna")


def test_a_study_made_with_the_other_direction_is_not_gone_on_with(tmp_path: Path) -> None:
    storage = open_storage(str(tmp_path / "study.journal"))
    open_study(storage, "x", ["maximize"], {"space": []})
    with pytest.raises(ConfigError, match="made to maximize, but these objectives are to minimize"):
        open_study(storage, "x", ["minimize"], {"space": []})


def test_a_study_is_named_by_what_it_searches_and_refuses_to_search_something_else(tmp_path: Path) -> None:
    search = {"space": ["seed=range(0,3)"], "fixed": ["model=dsn"]}
    assert study_name(search) == study_name(dict(reversed(search.items()))) != study_name(search | {"fixed": []})
    storage = open_storage(str(tmp_path / "deep" / "study.journal"))
    open_study(storage, "x", ["maximize"], search)
    again = open_study(open_storage(str(tmp_path / "deep" / "study.journal")), "x", ["maximize"], search)
    assert again.study_name == "x"
    with pytest.raises(ConfigError, match=r"was made with a different fixed: \['model=dsn'\], now \[\]"):
        open_study(storage, "x", ["maximize"], search | {"fixed": []})


def test_a_failed_trial_does_not_count_as_finished() -> None:
    study = optuna.create_study()
    for state, value in (("COMPLETE", 1.0), ("FAIL", None), ("PRUNED", None)):
        study.tell(study.ask(), value, state=optuna.trial.TrialState[state])
    study.ask()
    assert count_finished(study) == 2


@pytest.mark.parametrize("sampler", ["random", "tpe", "nsga2"])
def test_a_study_that_goes_on_draws_other_trials_and_a_new_one_the_same(sampler: str) -> None:
    def drawn(trials: int) -> float:
        study = optuna.create_study(sampler=make_sampler(SearchSettings(sampler=sampler, seed=3), trials))
        return float(study.ask().suggest_float("x", 0.0, 1.0))

    assert drawn(0) == drawn(0) != drawn(1)


def test_a_storage_that_cannot_be_opened_is_named_without_its_password() -> None:
    with pytest.raises(ConfigError, match="cannot be opened") as refused:
        open_storage("nonsense://me:secret@host/db")
    assert "secret" not in str(refused.value) and "Try: hydra.sweeper.storage=study.journal" in str(refused.value)


def test_trials_under_way_when_the_tuner_died_are_done_again(tmp_path: Path) -> None:
    storage = open_storage(str(tmp_path / "study.journal"))
    study = open_study(storage, "x", ["maximize"], {"space": []})
    space = {"optimizer.lr": optuna.distributions.FloatDistribution(0, 1)}
    lost = study.ask(space)
    requeue_interrupted(study)
    again = study.ask(space)
    assert again.params == lost.params and again.number == 1
    study.tell(again, 0.5)
    assert [trial.state.name for trial in study.trials] == ["FAIL", "COMPLETE"] and count_finished(study) == 1


def test_one_tuner_at_a_time_holds_a_study(tmp_path: Path) -> None:
    with (
        hold_study(tmp_path / "x", "x"),
        pytest.raises(ConfigError, match="another process"),
        hold_study(tmp_path / "x", "x"),
    ):
        pass
