from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
from omegaconf import OmegaConf

from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.errors import ConfigError
from runner.record.record import DataFacts, RunRecord
from runner.schema import Settings
from runner.tune import objectives


def test_the_direction_of_an_objective_comes_from_the_list_of_metrics() -> None:
    settings = resolve(compose(["data=imdb"]))
    assert (
        objectives.optuna_direction("select", objectives.selection_metric(settings.data, settings.task)) == "maximize"
    )
    assert objectives.optuna_direction("cost/params", "val/accuracy") == "minimize"
    settings.data.metrics = ["mse"]
    assert (
        objectives.optuna_direction("select", objectives.selection_metric(settings.data, settings.task)) == "minimize"
    )


@pytest.mark.parametrize(
    ("words", "name", "expected"),
    [
        (["task=mlm", "model=bert-tiny"], "val/perplexity", "minimize"),
        (["data=stsb"], "tune/spearman", "maximize"),
        (["data=stsb", "data.metrics=[mse]"], "tune/mse", "minimize"),
        (["data=mrpc"], "tune/f1", "maximize"),
        (["data=files", "data.path=x.csv", "data.task=regression"], "val/spearman", "maximize"),
        (["data=files", "data.path=x.csv"], "val/accuracy", "maximize"),
    ],
)
def test_what_is_better_comes_from_the_score_that_selects(words: list[str], name: str, expected: str) -> None:
    for settings in (resolve(compose(words)), OmegaConf.to_object(OmegaConf.merge(Settings, settings_of(words)))):
        assert objectives.selection_metric(settings.data, settings.task) == name
        assert objectives.agreed_directions(["select"], [name]) == [expected]


def finished_run(selection: str, metrics: dict[str, float]) -> RunRecord:
    """The record of a finished run with these metrics."""
    data = DataFacts("classification", selection, {}, selection)
    return RunRecord("abc", "dsn", {}, data, "done", metrics=metrics)


def settings_of(words: list[str]) -> Any:
    """Composed and not resolved, as the sweeper sees a trial."""
    config = compose(words)
    return OmegaConf.masked_copy(config, [one.name for one in fields(Settings)])


def test_trials_that_disagree_on_what_is_better_are_refused() -> None:
    first, second = "tune/spearman", "tune/mse"
    with pytest.raises(ConfigError, match=r"selected by tune/spearman, tune/mse.*Try: a study for each"):
        objectives.agreed_directions(["select"], [first, second])
    assert objectives.agreed_directions(["cost/params"], [first, second]) == ["minimize"]
    record = finished_run("val/mse", {"val/mse": 0.2})
    assert objectives.objective_value("select", record, "minimize") == 0.2
    with pytest.raises(ConfigError, match="val/mse, which this study would maximize"):
        objectives.objective_value("select", record, "maximize")


def test_a_record_is_never_read_for_the_split_it_reports() -> None:
    metrics = {"val/accuracy": 0.9, "tune/accuracy": 0.8, "tune/f1": 0.7, "cost/params": 10.0}
    record = finished_run("tune/accuracy", metrics)
    assert (
        objectives.objective_value("select", record) == 0.8 and objectives.objective_value("select/f1", record) == 0.7
    )
    assert objectives.objective_value("cost/params", record) == 10.0
    for name in ("val/accuracy", "cost/macs"):
        with pytest.raises(ConfigError, match="to optimize"):
            objectives.objective_value(name, record)
