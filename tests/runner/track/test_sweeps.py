"""A sweep in MLflow: a parent above its runs, means over the seeds, its files; in SQLite and on a real server."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runner.record.json_files import write_json
from runner.record.sweep_record import read_sweep
from runner.track.connection import MlflowTarget, connect
from runner.track.resync import sync_all
from runner.track.settings import TrackerSettings
from runner.track.sweeps import close_orphaned_runs, folder_on_host, labels_of, seed_aggregates, sync_sweep
from runner.track.sync import sync_run
from tests.runner.track.folders import write_record, write_run

SCORES = {("dsn", 0): 0.70, ("dsn", 1): 0.80, ("bert-tiny", 0): 0.90}


def write_sweep(output: Path, identity: str = "5eed5eed00", **changes: Any) -> Path:
    """Three finished runs, one that failed, and the folder of their sweep with a report in it."""
    runs = []
    for number, ((model, seed), score) in enumerate(SCORES.items()):
        name = f"{number:010d}"
        if not (output / name).exists():
            words = ["data=imdb", f"model={model}", f"seed={seed}"]
            changes = {"config": {"model": {"name": model}, "seed": seed}, "overrides": words}
            more = {"cost/params": 1000 + number, "cost/macs": 9, "baseline/majority": 0.5}
            write_run(output / name, metrics={"test/accuracy": score} | more, **changes)
        overrides = ["data=imdb", f"model={model}", f"seed={seed}"]
        runs.append({"identity": name, "overrides": overrides, "status": "done", "reason": None})
    runs.append(
        {"identity": None, "overrides": ["data=imdb", "model=dsn", "seed=9"], "status": "failed", "reason": "x"}
    )
    folder = output / "sweeps" / identity
    (folder / "plots").mkdir(parents=True, exist_ok=True)
    (folder / "report.html").write_text("<p>report</p>")
    (folder / "plots" / "pareto.png").write_bytes(b"png")
    content = {
        "id": identity, "name": "ours", "question": "Which one?", "overrides": ["model=dsn,bert-tiny"], "runs": runs,
        "claims": [], "baseline": None, "started": "2026-01-02T03:04:05Z", "ended": "2026-01-02T03:14:05Z",
        "status": "failed",
    }  # fmt: skip
    write_json(folder / "sweep.json", content | changes)
    return folder


def test_groups_whose_names_differ_only_in_what_a_metric_name_cannot_hold_are_kept_apart() -> None:
    long = "model.pretrained=" + "x" * 200
    names = ["model=dsn", "data.delimiter=;", "data.delimiter=|", f"{long}/a", f"{long}/b"]
    labels = labels_of([*names, "model=dsn"])
    assert labels["model=dsn"] == "model_dsn" and len(set(labels.values())) == len(names)
    assert all(len(label) <= 150 for label in labels.values())


def test_means_over_runs_that_have_learned_nothing_are_flagged(output: Path) -> None:
    folder = write_sweep(output)
    for number, score in enumerate((0.51, 0.52, 0.9)):
        metrics = {"test/accuracy": score, "test/accuracy_low": score - 0.03, "baseline/majority": 0.5}
        config = {"model": {"name": "dsn" if number < 2 else "bert-tiny"}}
        write_record(output / f"{number:010d}", metrics=metrics, config=config)
    found = {metric.key: metric.value for metric in seed_aggregates(read_sweep(folder), output)}
    assert found["at_baseline/model_dsn"] == 1.0 and found["test/accuracy/mean/model_dsn"] == pytest.approx(0.515)
    assert "at_baseline/model_bert-tiny" not in found


def test_two_jobs_that_are_one_run_count_once(output: Path) -> None:
    folder = write_sweep(output)
    sweep = read_sweep(folder)
    twice = replace(sweep, runs=[*sweep.runs, sweep.runs[0]])
    found = {metric.key: metric.value for metric in seed_aggregates(twice, output)}
    assert found["test/accuracy/n/model_dsn"] == 2 and found["test/accuracy/mean/model_dsn"] == pytest.approx(0.75)


def test_a_group_that_has_learned_with_further_seeds_loses_its_mark(output: Path, target: MlflowTarget) -> None:
    folder = write_sweep(output)

    def marks(score: float) -> dict[str, float]:
        for number in (0, 1):
            metrics = {"test/accuracy": score, "test/accuracy_low": score - 0.03, "baseline/majority": 0.5}
            write_record(output / f"{number:010d}", metrics=metrics, config={"model": {"name": "dsn"}})
        write_sweep(output, ended=f"2026-01-02T03:14:{round(100 * score)}Z")
        sync_sweep(folder, TrackerSettings(), target)
        (parent,) = runs_by_name(target)["sweep ours"]
        return {key: value for key, value in parent.data.metrics.items() if key.startswith("at_baseline/")}

    assert marks(0.51) == {"at_baseline/model_dsn": 1.0}
    assert marks(0.59) == {"at_baseline/model_dsn": 0.0}


def runs_by_name(target: MlflowTarget) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for run in target.client.search_runs([target.experiment_id]):
        found.setdefault(run.data.tags["mlflow.runName"], []).append(run)
    return found


def check(target: MlflowTarget) -> str:
    """The id of the parent run, after looking at all that the store should hold."""
    found = runs_by_name(target)
    (parent,) = found.pop("sweep ours")
    children = [run for runs in found.values() for run in runs]
    assert len(children) == 3
    assert {run.data.tags["mlflow.parentRunId"] for run in children} == {parent.info.run_id}
    assert {run.data.tags["sweeps"] for run in children} == {"5eed5eed00"}
    assert parent.info.status == "FAILED" and parent.info.end_time == 1767323645000
    metrics = parent.data.metrics
    assert metrics["test/accuracy/mean/model_dsn"] == pytest.approx(0.75)
    assert metrics["test/accuracy/std/model_dsn"] == pytest.approx(0.0707107, abs=1e-6)
    assert metrics["test/accuracy/n/model_dsn"] == 2
    assert metrics["test/accuracy/mean/model_bert-tiny"] == 0.9
    assert "test/accuracy/std/model_bert-tiny" not in metrics, "one run has no spread"
    assert parent.data.tags["mlflow.note.content"] == "Which one?"
    assert parent.data.tags["runs"] == "3 done, 1 failed"
    assert {"cost/params/mean/model_dsn", "cost/params/std/model_dsn"} <= metrics.keys()
    assert not any("macs" in name or name.startswith("baseline") for name in metrics), "headlines alone"
    assert {run.info.run_name for run in children} == {"model=dsn seed=0", "model=dsn seed=1", "model=bert-tiny"}
    files = [file.path for file in target.client.list_artifacts(parent.info.run_id)]
    assert files == ["plots", "report.html", "sweep"]
    return str(parent.info.run_id)


def test_a_sweep_is_a_parent_with_its_runs_means_and_files_and_nothing_is_sent_twice(
    output: Path, target: MlflowTarget
) -> None:
    folder = write_sweep(output)
    for name in ("0000000000", "0000000001", "0000000002"):
        sync_run(output / name, TrackerSettings(), target)
    assert sync_sweep(folder, TrackerSettings(), target) == "created"
    parent = check(target)
    assert sync_sweep(folder, TrackerSettings(), target) == "unchanged"
    (folder / "mlflow.json").unlink()
    sync_sweep(folder, TrackerSettings(), target)
    assert check(target) == parent, "a lost note makes no second parent"

    other = write_sweep(output, "5eed5eed01", name="theirs")
    sync_sweep(other, TrackerSettings(), target)
    for runs in runs_by_name(target).values():
        for run in runs:
            if "identity" in run.data.tags:
                assert run.data.tags["mlflow.parentRunId"] == parent, "the first parent keeps its runs"
                assert run.data.tags["sweeps"] == "5eed5eed00,5eed5eed01"


def test_the_same_sweep_in_two_folders_has_two_parents(output: Path, target: MlflowTarget) -> None:
    folders = [write_sweep(output / machine) for machine in ("first", "second")]
    assert [sync_sweep(folder, TrackerSettings(), target) for folder in folders] == ["created", "created"]
    for folder in folders:
        (folder / "mlflow.json").unlink()
        assert sync_sweep(folder, TrackerSettings(), target) == "updated", "found by its tags"
    assert len(target.client.search_runs([target.experiment_id], "tags.sweep = '5eed5eed00'")) == 2


def test_a_run_deleted_in_mlflow_does_not_keep_its_sweep_out(output: Path, target: MlflowTarget) -> None:
    folder = write_sweep(output)
    for number in range(3):
        sync_run(output / f"{number:010d}", TrackerSettings(), target)
    deleted = json.loads((output / f"{0:010d}" / "mlflow.json").read_text())["run_id"]
    target.client.delete_run(deleted)
    assert sync_sweep(folder, TrackerSettings(), target) == "created"
    (parent,) = runs_by_name(target)["sweep ours"]
    children = target.client.search_runs([target.experiment_id], f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'")
    assert len(children) == 2 and deleted not in {run.info.run_id for run in children}
    assert sync_sweep(folder, TrackerSettings(), target) == "unchanged"


def test_run_sync_brings_runs_and_sweeps_into_an_empty_store(output: Path, tmp_path: Path, empty_store: Path) -> None:
    write_sweep(output)
    settings = TrackerSettings(uri=f"sqlite:///{tmp_path}/other/other.db")
    said: list[str] = []
    first = sync_all(output, settings, said.append)
    assert (first.created, first.failed) == (4, 0), said
    check(connect(settings, output))
    assert sync_all(output, settings, said.append).unchanged == 4


def test_runs_of_dead_processes_are_closed(output: Path, target: MlflowTarget) -> None:
    folder = write_record(output / "aaaaaaaaaa", status="running", ended=None)
    sync_run(folder, TrackerSettings(), target)
    gone = write_record(output / "bbbbbbbbbb", status="running", ended=None)
    sync_run(gone, TrackerSettings(), target)
    elsewhere = target.client.create_run(target.experiment_id, tags={"folder": "another-machine:/outputs/cccccccccc"})
    (gone / "record.json").unlink()
    (gone / "mlflow.json").unlink()
    for path in gone.iterdir():
        path.unlink()
    gone.rmdir()
    assert close_orphaned_runs(target, output) == 1
    # The same run started again without a checkpoint is another MLflow run; the old one is not left open.
    write_record(folder, status="running", started="2026-01-02T04:00:00+00:00", ended=None)
    sync_run(folder, TrackerSettings(), target)
    states = {}
    for run in target.client.search_runs([target.experiment_id]):
        states[(run.data.tags.get("identity"), run.data.tags.get("started", "")[11:13])] = run.info.status
    assert states[("aaaaaaaaaa", "03")] == states[("bbbbbbbbbb", "03")] == "KILLED"
    assert states[("aaaaaaaaaa", "04")] == "RUNNING"
    assert target.client.get_run(elsewhere.info.run_id).info.status == "RUNNING", "not ours to close"
    assert folder_on_host(folder).endswith("/aaaaaaaaaa")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Iterator[str]:
    """The address of a real `mlflow server` with a database of its own, on the loopback."""
    folder = tmp_path_factory.mktemp("server")
    shutil.copy(empty_store, folder / "server.db")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port),
               "--backend-store-uri", f"sqlite:///{folder}/server.db", "--workers", "1",
               "--artifacts-destination", str(folder / "files")]  # fmt: skip
    env = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}  # by default it starts eight more processes
    with (folder / "log.txt").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, cwd=folder, env=env)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{address}/health", timeout=1).close()
                break
            except OSError:
                assert process.poll() is None, (folder / "log.txt").read_text()
                time.sleep(0.1)
        yield address
    finally:
        os.killpg(process.pid, 9)  # asked to end it waits for open connections
        process.wait()


def test_a_sweep_runs_and_is_mirrored_on_a_real_server(server: str, tmp_path: Path) -> None:
    from tests.conftest import run_cli

    words = ["-m", "model=dsn", "data=demo", "data.demo_rows=300", "train.epochs=1", "measure=off", "seed=0,1"]
    done = run_cli(*words, f"tracker.uri={server}", "tracker.wait_s=120", cwd=tmp_path)
    assert done.returncode == 0 and "MLflow lacks" not in done.stdout, done.stdout + done.stderr
    assert not (tmp_path / "outputs" / "mlflow.db").exists()
    target = connect(TrackerSettings(uri=server), tmp_path / "outputs")
    found = target.client.search_runs([target.experiment_id])
    (parent,) = [run for run in found if "sweep" in run.data.tags]
    children = [run for run in found if run is not parent]
    assert len(children) == 2 and {run.info.status for run in found} == {"FINISHED"}
    assert {run.data.tags["mlflow.parentRunId"] for run in children} == {parent.info.run_id}
    assert parent.data.metrics["test/accuracy/n/all"] == 2

    again = run_cli("sync", f"tracker.uri={server}", "tracker.experiment=second", cwd=tmp_path)
    assert again.returncode == 0 and "3 created" in again.stdout, again.stdout
    second = connect(TrackerSettings(uri=server, experiment="second"), tmp_path / "outputs")
    assert len(second.client.search_runs([second.experiment_id])) == 3
    files = {file.path for file in second.client.list_artifacts(second.client.search_runs(
        [second.experiment_id], "tags.sweep != ''")[0].info.run_id)}  # fmt: skip
    assert {"sweep", "report.html"} <= files
    assert json.loads(next((tmp_path / "outputs" / "sweeps").glob("*/sweep.json")).read_text())["status"] == "done"
