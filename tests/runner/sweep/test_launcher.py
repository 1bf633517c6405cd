"""The record of a sweep that ends before its first run."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from omegaconf import OmegaConf

from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.errors import ConfigError
from runner.record.sweep_record import read_sweep
from runner.sweep.launcher import LocalLauncher, sweep_settings
from runner.sweep.ledger import Ledger
from runner.sweep.plan import Job
from runner.sweep.settings import SweepSettings
from tests.conftest import run_cli
from tests.records import records


def launched(output: Path) -> tuple[LocalLauncher, list[Job]]:
    """A launcher and the jobs of its sweep."""
    launcher, words = LocalLauncher(), ["model=dsn", "data=demo", "tracker=none", f"paths.output={output}"]
    launcher.config = SimpleNamespace(hydra=SimpleNamespace(overrides=OmegaConf.create({"task": words})))  # type: ignore[assignment]
    return launcher, [Job(0, words, settings=resolve(compose(words)))]


def test_ctrl_c_while_a_sweep_is_opened_leaves_none_that_seems_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(ledger: Ledger, *_: object) -> None:
        raise KeyboardInterrupt

    launcher, jobs = launched(tmp_path)
    monkeypatch.setattr(Ledger, "_request", interrupt)  # the last step of opening
    with pytest.raises(KeyboardInterrupt):
        launcher._run_and_record(jobs, SweepSettings(), 1)
    (folder,) = (tmp_path / "sweeps").iterdir()
    assert read_sweep(folder).status == "killed" and launcher.ledger is None


def test_a_folder_that_cannot_be_made_is_the_error_that_is_told(tmp_path: Path) -> None:
    (tmp_path / "sweeps").write_text("a file", encoding="utf-8")
    launcher, jobs = launched(tmp_path)
    with pytest.raises(OSError, match=r"sweeps/\w{10}'|sweeps'|sweeps/\w{10}/logs'"):
        launcher._run_and_record(jobs, SweepSettings(), 1)


def test_a_sweep_over_choices_alone_starts_in_a_process_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "own/data").mkdir(parents=True)
    (tmp_path / "own/data/few.yaml").write_text(
        "defaults: [demo, _self_]\nname: few\ndemo_rows: 300\n", encoding="utf-8"
    )
    words = ["--config-dir", "own", "model=dsn,dsn-32", "data=few", "measure=off", "tracker=none"]
    done = run_cli("-m", *words, cwd=tmp_path, fresh=True)  # no word has a value, so nothing is composed before
    assert done.returncode == 0 and "model=dsn-32" in done.stdout, done.stderr


@pytest.mark.parametrize("sweeper", ["grid", "optuna"])
def test_a_value_in_a_sweeps_file_may_depend_on_that_of_each_run(tmp_path: Path, sweeper: str) -> None:
    (tmp_path / "own/sweeps").mkdir(parents=True)
    text = "hydra:\n  sweeper:\n    params: {data: demo, seed: '1,2', train.steps: '\\${seed}'}\n"
    (tmp_path / "own/sweeps/own.yaml").write_text(f"# @package _global_\n{text}", encoding="utf-8")
    words = ["--config-dir", "own", "+sweep=own", "data.demo_rows=60", "measure=off", "tracker=none"]
    search = ["hydra/sweeper=optuna", "hydra.sweeper.n_trials=3"] if sweeper == "optuna" else []
    done = run_cli("-m", *words, *search, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = {(record["config"]["seed"], record["config"]["train"]["steps"]) for record in records(tmp_path / "outputs")}
    assert found == {(1, 1), (2, 2)} if sweeper == "grid" else found <= {(1, 1), (2, 2)}
    assert "2 done" in run_cli("plan", *words, cwd=tmp_path).stdout, "a plan names other runs than the sweep makes"


def test_a_typed_value_may_depend_on_that_of_each_run_too(tmp_path: Path) -> None:
    words = ["data=demo", "data.demo_rows=60", "measure=off", "tracker=none", "seed=1,2", "train.steps=${seed}"]
    planned = run_cli("plan", *words, cwd=tmp_path)
    assert planned.returncode == 0 and "2 new" in planned.stdout, planned.stderr
    assert run_cli("-m", *words, cwd=tmp_path).returncode == 0
    (sweep,) = (tmp_path / "outputs/sweeps").glob("*/sweep.json")
    assert json.loads(sweep.read_text(encoding="utf-8"))["overrides"] == words, "the command, to be typed again"
    for record in records(tmp_path / "outputs"):
        assert record["config"]["train"]["steps"] == record["config"]["seed"]
        shown = run_cli("explain", record["identity"], "train.steps", cwd=tmp_path).stdout
        assert "train.steps=${seed} on the command line" in shown


def test_hydras_own_launcher_starts_no_job_if_one_is_wrong(tmp_path: Path) -> None:
    words = ["model=dsn", "data=demo", "data.task=auto,span", "measure=off", "tracker=none"]
    done = run_cli("-m", "hydra/launcher=basic", *words, cwd=tmp_path, fresh=True)
    assert done.returncode == 2 and "data=demo has no questions about texts" in done.stderr, done.stderr
    assert not (tmp_path / "outputs").exists()


def test_settings_of_a_sweep_in_a_file_have_ranges_too() -> None:
    with pytest.raises(ConfigError, match=r"sweep\.on_failure=halt: must be one of .*\nsweep\.jobs=0: out of range"):
        sweep_settings(compose(["sweep.jobs=0", "sweep.on_failure=halt"]))
