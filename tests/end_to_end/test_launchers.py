"""Launchers of other projects run our jobs unchanged: the records are the same, wherever a job runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from runner.config.check import check_overrides
from runner.errors import ConfigError
from runner.machine.child_process import enter_folder
from tests.conftest import run_cli
from tests.records import records

SMALL = [
    "data=demo", "data.demo_rows=200", "model=dsn", "model.vocab_size=200", "train.epochs=2", "measure=off",
    "tracker=none",
]  # fmt: skip
HANGS_S = 900.0  # a Ray cluster has a dozen processes, which take minutes to start on a busy machine
pytestmark = pytest.mark.timeout(2 * HANGS_S)
GRID = ["seed=1", "model/readout=mean,sum"]
PLUGINS = {"submitit_local": "hydra_plugins.hydra_submitit_launcher", "ray": "hydra_plugins.hydra_ray_launcher"}
# Starts a cluster on this machine, prints the variables that connect to it, and ends it when stdin is closed.
CLUSTER = """
import json, os, sys, ray
context = ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False)
token = {name: value for name, value in os.environ.items() if name.startswith("RAY_")}  # set by Ray
print(json.dumps(token | {"RAY_ADDRESS": context.address_info["gcs_address"]}), flush=True)
sys.stdin.read()
"""
# Metrics that depend on the machine and its load.
VARYING = ("time/", "train/examples_per_s", "train/tokens_per_s", "cost/bytes_peak")


def sweep(launcher: str, folder: Path, *words: str, env: dict[str, str] | None = None) -> Any:
    env = {"BERTIER_CACHE": str(folder / "cache")} | (env or {})  # each launcher tokenises in its own cache
    return run_cli("-m", f"hydra/launcher={launcher}", *SMALL, *words, cwd=folder, env=env, timeout_s=HANGS_S)


def computed(folder: Path) -> dict[str, Any]:
    """Return the results of each run in a folder, by identity."""
    found = {}
    for record in records(folder / "outputs"):
        metrics = {name: value for name, value in record["metrics"].items() if not name.startswith(VARYING)}
        config = {key: value for key, value in record["config"].items() if key != "paths"}
        found[record["identity"]] = [record["status"], metrics, config, record["data"], sorted(record["overrides"])]
    return found


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The results of both runs with Hydra's basic launcher, one after the other in one process."""
    folder = tmp_path_factory.mktemp("basic")
    done = sweep("basic", folder, *GRID)
    assert done.returncode == 0, done.stderr
    return computed(folder)


@pytest.fixture(scope="module", autouse=True)
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], dict[str, str]]]:
    """Start a Ray cluster in another folder, which takes 8 s, while the first tests run.

    Returns a function that waits for it and returns the environment variables to connect to it.
    """
    if find_spec("ray") is None:
        yield dict
        return
    folder = tmp_path_factory.mktemp("ray")
    with subprocess.Popen(
        [sys.executable, "-c", CLUSTER], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=os.environ | {"RAY_worker_niceness": "0"},  # 15 by default: other processes starve the jobs
    ) as process:  # fmt: skip
        assert process.stdin and process.stdout
        lines = process.stdout
        yield lambda: dict(json.loads(lines.readline()))
        process.stdin.close()


def test_a_tuner_watches_its_trials_through_another_launcher(tmp_path: Path) -> None:
    optuna = pytest.importorskip("optuna")
    pytest.importorskip(PLUGINS["submitit_local"])
    words = ["hydra/sweeper=optuna", "data.max_length=choice(64,600)", "hydra.sweeper.n_trials=2",
             "hydra.sweeper.n_jobs=2", "hydra.sweeper.pruner=median", "hydra.sweeper.study_name=far"]  # fmt: skip
    done = sweep("submitit_local", tmp_path, *words)
    from runner.tune.study import open_storage

    storage = open_storage(str(tmp_path / "outputs" / "sweeps" / "far" / "study.journal"))
    trials = optuna.load_study(study_name="far", storage=storage).trials
    ended = {trial.params["data.max_length"]: (trial.state.name, list(trial.intermediate_values)) for trial in trials}
    assert ended == {"64": ("COMPLETE", [1]), "600": ("FAIL", [])}, "the jobs reached the study"
    assert done.returncode == 1 and "Traceback" not in done.stderr
    logs = [path.read_text() for path in (tmp_path / "outputs" / ".multirun" / ".submitit").rglob("*.err")]
    assert any("data.max_length=512" in log for log in logs), "the reason is in the log of the job"


@pytest.mark.slow
def test_a_search_for_the_best_model_makes_its_runs_through_another_launcher(tmp_path: Path) -> None:
    pytest.importorskip(PLUGINS["submitit_local"])
    words = ["data=demo", "data.demo_rows=2100", "tracker=none", "max_kb=100", "steps=1"]
    done = run_cli("best", *words, "hydra/launcher=submitit_local", cwd=tmp_path, timeout_s=HANGS_S)
    assert done.returncode == 0, done.stderr
    (path,) = (tmp_path / "outputs" / "sweeps").glob("*/best.json")
    result = json.loads(path.read_text())
    record = json.loads((tmp_path / "outputs" / result["run"] / "record.json").read_text())
    assert record["status"] == "done" and result["winner"] and result["sha256"]
    logs = list((tmp_path / "outputs" / ".multirun" / ".submitit").rglob("*.out"))
    assert logs, "the run was made by a job"


def test_a_machine_without_the_commands_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a folder that all machines share"):
        enter_folder(str(tmp_path / "nowhere"))


@pytest.mark.parametrize(
    ("choice", "extra"), [("ray", "ray"), ("submitit_slurm", "slurm"), ("submitit_local", "slurm")]
)
def test_a_launcher_that_is_not_installed_says_how_to_get_it(
    choice: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runner.config.check_hydra._is_installed", lambda module: False)
    (problem,) = check_overrides([f"hydra/launcher={choice}", "seed=0,1"], multirun=True)
    assert f"pip install 'bertier[{extra}]'" in problem


SLURM = """#!{python}
# A stand-in for Slurm on one machine: sbatch starts each task of the array, sacct says that they have ended.
import json, os, pathlib, re, subprocess, sys
words, ledger = sys.argv[1:], pathlib.Path({ledger!r})
kind = pathlib.Path(sys.argv[0]).name
if kind == "sbatch":
    script = pathlib.Path(words[-1]).read_text()
    options = dict(re.findall("^#SBATCH --([a-z-]+)=(.*)$", script, re.M))
    ledger.write_text(json.dumps(options))
    for task in range(int(options["array"].split("%")[0].split("-")[1]) + 1):
        names = {{"SLURM_JOB_ID": "7", "SLURM_ARRAY_JOB_ID": "7", "SLURM_ARRAY_TASK_ID": str(task), "SLURM_NTASKS": "1",
                 "SLURM_JOB_NUM_NODES": "1", "SLURM_NODEID": "0", "SLURM_PROCID": "0", "SLURM_LOCALID": "0",
                 "SLURM_JOB_NODELIST": "here"}}
        subprocess.Popen(["bash", "-c", script], env=os.environ | names, stdout=subprocess.DEVNULL,
                         stderr=subprocess.STDOUT, start_new_session=True)
    print("Submitted batch job 7")
elif kind == "srun":
    assert words[:2] == ["--unbuffered", "--output"] and words[3] == "--error", words
    sys.exit(subprocess.run(words[5:]).returncode)
elif kind == "sacct":
    print("JobID|State|NodeList", "7_0|COMPLETED|here", "7_1|COMPLETED|here", sep="\\n")
"""


def test_slurm_gets_an_array_with_our_options_and_a_job_that_fails_there_counts(tmp_path: Path) -> None:
    pytest.importorskip(PLUGINS["submitit_local"])
    ledger = tmp_path / "sbatch.json"
    (tmp_path / "bin").mkdir()
    for name in ("sbatch", "srun", "sacct"):
        command = tmp_path / "bin" / name
        command.write_text(SLURM.format(python=sys.executable, ledger=str(ledger)), encoding="utf-8")
        command.chmod(0o755)
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    words = ["hydra.launcher.partition=cpu", "train.threads=1", "hydra.launcher.timeout_min=90"]
    done = sweep("submitit_slurm", tmp_path, "data.max_length=64,600", *words, env={"PATH": path})
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
    assert [run[0] for run in computed(tmp_path).values()] == ["done"]
    options = json.loads(ledger.read_text())
    expected = {
        "array": "0-1%2",
        "cpus-per-task": "1",
        "job-name": "bertier",
        "mem": "8GB",
        "partition": "cpu",
        "time": "90",
    }
    assert {key: options.get(key) for key in expected} == expected
    assert "account" not in options


@pytest.mark.slow
@pytest.mark.parametrize("launcher", PLUGINS)
def test_jobs_elsewhere_leave_the_same_records(
    launcher: str, expected: dict[str, Any], cluster: Callable[[], dict[str, str]], tmp_path: Path
) -> None:
    pytest.importorskip(PLUGINS[launcher])
    done = sweep(launcher, tmp_path, *GRID, env=cluster() if launcher == "ray" else {})
    assert done.returncode == 0, done.stderr
    found = computed(tmp_path)
    assert len(found) == 2 and all(run[0] == "done" for run in found.values())
    assert found == expected
    assert "compared" in done.stdout, "the outcomes came back"
