"""Tuning: which searches are refused, and whole studies with real processes, journals and records."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from runner.config.check import check_overrides
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.record.folder import read_all_records
from runner.tune.settings import SearchSettings
from tests.conftest import REPO, run_cli

optuna = pytest.importorskip("optuna")

TUNER = "hydra/sweeper=optuna"
RATE = "optimizer.lr=tag(log,interval(1e-4,1e-1))"
SMALL = [
    "data=files", "data.text=review", "data.label=stars", "model=dsn", "model.tokenizer=train", "model.vocab_size=120",
    "train.epochs=2", "measure=off", "tracker=none", "hydra/launcher=basic",
]  # fmt: skip

MISTAKES = [
    ([RATE, "hydra.sweeper.objectives=[test/accuracy]"], "Try: 'hydra.sweeper.objectives=[select/accuracy]'"),
    ([RATE, "hydra.sweeper.objectives=[val/f1]", "data=sst2"], "which is `tune` with data=sst2"),
    ([RATE, "hydra.sweeper.objectives=[val/f1]", "data=imdb,sst2"], "which is `tune` with data=sst2"),
    ([RATE, "hydra.sweeper.objectives=[selct]"], "no objective 'selct'"),
    ([RATE, "hydra.sweeper.objectives=[cost/bites]"], "cost/bytes_"),
    ([RATE, "hydra.sweeper.objectives=[speed/threads]"], "no value of it is better"),
    ([RATE, "hydra.sweeper.objectives=[speed/latency_ms_p50_b1_s128]", "measure=off"], "measure=quick"),
    ([RATE, "hydra.sweeper.objectives=select"], "Try: run -m 'hydra.sweeper.objectives=[select]'"),
    ([RATE, "hydra.sweeper.pruner=median", "hydra.sweeper.objectives=[select,cost/params]"], "only objective"),
    ([RATE, "hydra.sweeper.pruner=mean"], "median"),
    ([RATE, "hydra.sweeper.n_trials=0"], "at least 1"),
    ([RATE, "hydra.sweeper.n_trials=many"], "Try: run -m hydra.sweeper.n_trials=20"),
    ([RATE, "hydra.sweeper.n_trails=9"], "did you mean hydra.sweeper.n_trials?"),
    (["seed=0"], "nothing to search"),
    (["optimizer.lr=interval(0,1)"], "more than 0"),
    (["train.batch_size=interval(8,64)"], "Try: run -m hydra/sweeper=optuna 'train.batch_size=int(interval(8,64))'"),
]


@pytest.mark.parametrize(("words", "expected"), MISTAKES)
def test_a_search_that_cannot_be_is_refused_with_its_cure(words: list[str], expected: str) -> None:
    (problem,) = check_overrides([TUNER, *words], multirun=True)
    assert expected in problem


def test_plugins_are_checked_too() -> None:
    assert "Try: run -m hydra/sweeper=optuna" in check_overrides(["hydra/sweeper=optun", "seed=0,1"], multirun=True)[0]
    assert "Choices: basic" in check_overrides(["hydra/launcher=slrum", "seed=0,1"], multirun=True)[0]
    assert "run -m hydra/sweeper=optuna" in check_overrides([RATE], multirun=True)[0]
    assert "run -m" in check_overrides([TUNER, RATE])[0]


@pytest.mark.parametrize("extra", [[], ["hydra.sweeper.objectives=[select/f1,cost/bytes_packed]"], ["data=sst2"]])
def test_good_searches_pass(extra: list[str]) -> None:
    assert (
        check_overrides([TUNER, RATE, "train.batch_size=range(8,64,8)", "model=dsn,bert-tiny", *extra], multirun=True)
        == []
    )


def test_without_the_extra_the_message_says_how_to_get_it(tmp_path: Path) -> None:
    script = f"""
import sys
sys.modules["optuna"] = None
import runner.cli
sys.argv = ["run", "-m", {TUNER!r}, {RATE!r}]
runner.cli.main()
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True,
                          env=os.environ | {"PYTHONPATH": str(REPO)})  # fmt: skip
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "pip install 'bertier[tune]'" in done.stderr


def open_study(folder: Path, name: str | None = None) -> Any:
    from runner.tune.study import open_storage

    (journal,) = (folder / "outputs" / "sweeps").glob("*/study.journal")
    return optuna.load_study(study_name=name or journal.parent.name, storage=open_storage(str(journal)))


def states(study: Any) -> list[str]:
    return [trial.state.name for trial in study.trials]


def test_a_study_goes_on_where_it_was_and_shows_its_pareto_set(reviews: Path, tmp_path: Path) -> None:
    words = [
        "-m", TUNER, *SMALL, f"data.path={reviews}", RATE, "model.vocab_size=80,120",
        "hydra.sweeper.objectives=[select,cost/bytes_packed]", "hydra.sweeper.n_jobs=2",
    ]  # fmt: skip
    done = run_cli(*words, "hydra.sweeper.n_trials=3", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    first = open_study(tmp_path)
    assert states(first) == ["COMPLETE"] * 3
    by_run = {record.identity: record for record in read_all_records(tmp_path / "outputs")[0]}
    for trial in first.trials:
        record = by_run[trial.user_attrs["run"]]
        assert trial.values == [record.metrics["val/accuracy"], record.metrics["cost/bytes_packed"]]
        assert record.config["optimizer"]["lr"] == trial.params["optimizer.lr"]
        assert not any(word.startswith("hydra") for word in record.overrides)
    assert "Pareto-optimal trials" in done.stdout and "test/accuracy" not in done.stdout.split("study ")[-1]
    again = next(line for line in done.stdout.splitlines() if line.startswith("again: run "))
    assert f"optimizer.lr={first.best_trials[0].params['optimizer.lr']}" in again or len(first.best_trials) > 1

    assert run_cli(*words, "hydra.sweeper.n_trials=4", cwd=tmp_path).returncode == 0
    more = open_study(tmp_path)
    assert states(more) == ["COMPLETE"] * 4
    assert len({trial.params["optimizer.lr"] for trial in more.trials}) == 4, "a continued study draws new trials"


def test_a_failed_trial_is_told_and_the_study_goes_on(reviews: Path, tmp_path: Path) -> None:
    words = ["-m", TUNER, *SMALL, f"data.path={reviews}", "data.max_length=64,600", "train.batch_size=2,32",
             "train.accumulate=4", "train.epochs=1", "hydra.sweeper.sampler=random", "hydra.sweeper.n_trials=7",
             "hydra.sweeper.study_name=lengths", "hydra.sweeper.storage=sqlite:///studies.db"]  # fmt: skip
    done = run_cli(*words, cwd=tmp_path)
    study = optuna.load_study(study_name="lengths", storage=f"sqlite:///{tmp_path}/studies.db")
    ended = {(t.params["data.max_length"], t.params["train.batch_size"]): t.state.name for t in study.trials}
    assert ended.pop(("64", "32")) == "COMPLETE"
    assert ended == {("600", "32"): "FAIL", ("64", "2"): "FAIL", ("600", "2"): "FAIL"}
    (reason, *_) = [t.user_attrs["reason"] for t in study.trials if t.params["train.batch_size"] == "2"]
    assert "Try: train.accumulate=2" in reason
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert study.best_trial.params == {"data.max_length": "64", "train.batch_size": "32"}

    other = run_cli(*words, "seed=1", cwd=tmp_path)
    assert other.returncode == 2 and "hydra.sweeper.study_name=<a new name>" in other.stderr
    assert len(study.get_trials()) == 7


def test_a_trial_behind_the_others_is_pruned_and_recorded_as_that(reviews: Path, tmp_path: Path) -> None:
    words = ["-m", TUNER, *SMALL, f"data.path={reviews}", "optimizer.lr=interval(1e-9,2e-9)", "train.epochs=3",
             "hydra.sweeper.pruner=median"]  # fmt: skip
    assert run_cli(*words, "hydra.sweeper.n_trials=1", cwd=tmp_path).returncode == 0
    study = open_study(tmp_path)
    assert study.trials[0].intermediate_values.keys() == {1, 2}, "after the last epoch there is nothing to prune"
    for _ in range(5):  # a score that no run with these rates can reach
        study.add_trial(optuna.create_trial(
            params={"optimizer.lr": 1.5e-9}, distributions=study.trials[0].distributions, value=1.0,
            intermediate_values={1: 1.0, 2: 1.0},
        ))  # fmt: skip
    done = run_cli(*words, "hydra.sweeper.n_trials=7", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    trial = open_study(tmp_path).trials[-1]
    assert trial.state.name == "PRUNED" and list(trial.intermediate_values) == [1]
    pruned = [record for record in read_all_records(tmp_path / "outputs")[0] if record.pruned]
    assert [record.identity for record in pruned] == [trial.user_attrs["run"]]
    assert pruned[0].status == "killed" and pruned[0].reason.startswith("pruned after epoch 1")
    assert pruned[0].metrics == {}


def test_a_pruned_run_started_on_its_own_is_run_to_its_end(reviews: Path, tmp_path: Path) -> None:
    from runner.experiment.context import RunContext
    from runner.experiment.run import run
    from runner.tune.trial_pruning import Pruned

    watched: list[tuple[int, float]] = []

    def watch(epoch: int, value: float) -> None:
        watched.append((epoch, value))
        if epoch == 2:
            raise Pruned("pruned after epoch 2")

    words = [*SMALL[:-1], f"data.path={reviews}", "train.epochs=3", f"paths.output={tmp_path / 'outputs'}"]
    settings = resolve(compose(words))
    pruned = run(settings, words, RunContext(watch=watch))
    assert pruned.exit_code == 0 and pruned.record is not None
    assert (pruned.record.status, pruned.record.pruned) == ("killed", True)
    assert [epoch for epoch, _ in watched] == [1, 2] and pruned.record.metrics == {}
    whole = run(settings, words).record
    assert whole is not None and whole.identity == pruned.record.identity
    assert whole.status == "done" and "val/accuracy" in whole.metrics and not whole.pruned


def test_a_run_whose_study_is_out_of_reach_goes_on_unwatched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:

    from runner.tune.trial_pruning import trial_watch

    node = {"trial": 0, "pruner": "median", "study_name": "gone", "storage": str(tmp_path / "no.journal")}
    watch = trial_watch(OmegaConf.create(node))
    assert watch is not None
    watch(1, 0.5)
    watch(2, 0.5)
    assert capsys.readouterr().err.count("no longer pruned") == 1
    assert trial_watch(OmegaConf.create(node | {"trial": None})) is None


def test_the_yaml_and_the_dataclass_say_the_same() -> None:
    from dataclasses import asdict

    written = OmegaConf.to_container(OmegaConf.load(REPO / "conf" / "hydra" / "sweeper" / "optuna.yaml"))
    assert isinstance(written, dict)
    written.pop("_target_")
    assert written == asdict(SearchSettings())
