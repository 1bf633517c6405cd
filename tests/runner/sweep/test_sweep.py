"""Sweeps as a user meets them: real processes that raise, crash, are killed, interrupted and started again."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

from filelock import FileLock

from runner.record.json_files import write_json
from tests.conftest import crowding, run_cli
from tests.fork_server import Child, environment_of, fork_server
from tests.records import read, records

SMALL = ["model=dsn", "data=demo", "data.demo_rows=600", "train.epochs=2", "measure=off", "tracker=none"]


def start(*words: str, cwd: Path, **env: str) -> Child:
    """`run` with its faults, going on beside the test."""
    return fork_server().start("tests.runner.sweep.faulty", words, cwd, environment_of(env))


def finish(process: Child) -> tuple[int, str]:
    """Exit code, and output with errors."""
    out, err = process.communicate(timeout=120)
    return process.wait(), out + err


def recorded(cwd: Path) -> dict[int, dict[str, Any]]:
    """The records by seed."""
    return {record["config"]["seed"]: record for record in records(cwd / "outputs")}


def wait_for(condition: Any, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.02)


def sweep_json(cwd: Path) -> dict[str, Any]:
    (path,) = (cwd / "outputs" / "sweeps").glob("*/sweep.json")
    return dict(json.loads(path.read_text(encoding="utf-8")))


def test_a_job_that_raises_crashes_is_killed_or_hoards_memory_is_one_row_with_its_reason_and_succeeds_next_time(
    tmp_path: Path,
) -> None:
    words = ["-m", *SMALL, "seed=1,2,3,4,5,6", "sweep.memory_gb=1.2"]
    code, said = finish(start(*words, cwd=tmp_path, RAISE="1", KILL="2", HOARD="3", CRASH="4"))
    assert code == 1, said
    found = recorded(tmp_path)
    assert [found[seed]["status"] for seed in range(1, 7)] == ["failed"] * 4 + ["done"] * 2
    for seed, reason in enumerate(("the cat sat on", "SIGKILL", "sweep.memory_gb=1.2", "segmentation fault"), 1):
        assert reason in found[seed]["reason"] and reason in said
    assert "in string_at" in said, "the crash's innermost frame"
    states = {run["overrides"][-1]: run for run in sweep_json(tmp_path)["runs"]}
    assert states["seed=3"]["peak_bytes"] > 1.2e9 > states["seed=5"]["peak_bytes"]

    log = (tmp_path / "outputs" / found[5]["identity"] / "log.txt").read_text()
    assert "seed 5" in log and "epoch   2" in log and "epoch   2" not in said, "each run has its own output"

    files = sorted((tmp_path / "outputs").rglob("*"))
    planned = run_cli("plan", *words, "seed=1,2,3,4,5,6,7", cwd=tmp_path)
    assert planned.returncode == 0 and "4 failed, 2 done, 1 new" in planned.stdout
    assert "the cat sat on the keyboard" in planned.stdout and "estimated from finished runs" in planned.stdout
    assert sorted((tmp_path / "outputs").rglob("*")) == files, "a plan writes nothing"

    before = {seed: found[seed]["started"] for seed in (5, 6)}
    code, said = finish(start(*words, cwd=tmp_path))
    assert code == 0, said
    assert "2 done already" in said and said.count("started ") == 4
    after = recorded(tmp_path)
    assert {record["status"] for record in after.values()} == {"done"}
    assert {seed: after[seed]["started"] for seed in (5, 6)} == before
    assert {run["status"] for run in sweep_json(tmp_path)["runs"]} == {"done"}
    third = run_cli(*words, cwd=tmp_path)
    assert third.returncode == 0 and "started " not in third.stdout and "6 done already" in third.stdout


def test_a_run_of_a_sweep_is_the_lone_run_bit_for_bit(tmp_path: Path) -> None:
    model = ["model=bert-tiny", "model.vocab_size=300", *SMALL[1:], "data.demo_rows=300", "train.threads=1"]
    assert run_cli("-m", *model, "seed=1,2", "sweep.jobs=1", "paths.output=many", cwd=tmp_path).returncode == 0
    assert run_cli(*model, "seed=2", "paths.output=one", cwd=tmp_path).returncode == 0
    (alone,) = records(tmp_path / "one")
    beside = read(tmp_path / "many" / alone["identity"])
    assert beside is not None

    def results(record: dict[str, Any]) -> dict[str, float]:
        timed = ("time/", "train/examples_per_s", "train/tokens_per_s", "cost/bytes_peak")
        return {name: value for name, value in record["metrics"].items() if not name.startswith(timed)}

    def losses(output: str) -> list[tuple[int, float]]:
        lines = (tmp_path / output / alone["identity"] / "metrics.jsonl").read_text().splitlines()
        return [(point["step"], point.get("train/loss")) for point in map(json.loads, lines)]

    assert results(beside) == results(alone) and len(results(alone)) > 10
    assert losses("many") == losses("one") and len(losses("one")) > 10
    assert beside["environment"]["threads"] == alone["environment"]["threads"] == 1


def test_after_sigkill_of_the_parent_its_jobs_stop_and_the_same_command_completes_the_set(tmp_path: Path) -> None:
    words = ["-m", *SMALL, "train.epochs=6", "seed=0,1,2,3", "sweep.jobs=2", "checkpoint.every_s=0.1"]
    process = start(*words, cwd=tmp_path, SLOW_S="0.03")

    def has_come_far() -> bool:
        found = recorded(tmp_path).values()
        going_on = [tmp_path / "outputs" / r["identity"] for r in found if r["status"] == "running"]
        is_saved = any(list(folder.glob("checkpoints/*.json")) for folder in going_on)
        return is_saved and [record["status"] for record in found].count("done") == 2  # the others have just begun

    wait_for(has_come_far)
    process.send_signal(signal.SIGKILL)
    process.wait()
    wait_for(lambda: "running" not in {record["status"] for record in recorded(tmp_path).values()}, 15)
    first = recorded(tmp_path)
    assert {"done", "killed"} == {record["status"] for record in first.values()}
    assert all("sweep's process ended" in r["reason"] for r in first.values() if r["status"] == "killed")
    code, said = finish(start(*words, cwd=tmp_path))
    assert code == 0, said
    second = recorded(tmp_path)
    assert [second[seed]["status"] for seed in range(4)] == ["done"] * 4
    for seed, record in first.items():
        if record["status"] == "done":
            assert second[seed] == record, "what was done is not done again"
    assert any(second[seed]["resumed_from_step"] > 0 for seed in first if first[seed]["status"] == "killed")


def test_one_ctrl_c_ends_a_sweep_cleanly(tmp_path: Path) -> None:
    process = start("-m", *SMALL, "train.epochs=50", "seed=0,1,2", "sweep.jobs=2", cwd=tmp_path, SLOW_S="0.05")
    wait_for(lambda: len(recorded(tmp_path)) == 2)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    code, said = finish(process)
    assert code == 130 and time.monotonic() - began < 10 * crowding()
    assert "Traceback" not in said and "did not finish" in said
    found = recorded(tmp_path)
    assert [(found[seed]["status"], found[seed]["reason"]) for seed in (0, 1)] == [("killed", "interrupted")] * 2
    assert 2 not in found and [run["status"] for run in sweep_json(tmp_path)["runs"]] == ["killed", "killed", "new"]


def test_a_second_ctrl_c_ends_at_once_and_leaves_no_record_open(tmp_path: Path) -> None:
    process = start("-m", *SMALL, "seed=0,1", cwd=tmp_path, SLOW_S="20")  # so long a step hears no first signal
    wait_for(lambda: len(recorded(tmp_path)) == 2)
    os.kill(process.pid, signal.SIGSTOP)
    jobs = children(process.pid)
    for job in jobs:
        os.kill(job, signal.SIGSTOP)  # a job that cannot answer the first signal
    os.kill(process.pid, signal.SIGCONT)
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    code, _ = finish(process)
    assert code == 130
    assert {record["status"] for record in recorded(tmp_path).values()} == {"killed"}
    assert not any(Path(f"/proc/{job}").exists() for job in jobs)


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_stop_starts_nothing_after_a_failure(tmp_path: Path) -> None:
    words = ["-m", *SMALL, "seed=1,2,3", "sweep.jobs=1", "sweep.on_failure=stop"]
    code, said = finish(start(*words, cwd=tmp_path, RAISE="1"))
    assert code == 1 and said.count("started ") == 1
    assert [run["status"] for run in sweep_json(tmp_path)["runs"]] == ["failed", "new", "new"]


def test_two_terminals_with_overlapping_sweeps_share_the_work(tmp_path: Path) -> None:
    one = start("-m", *SMALL, "seed=0,1,2,3", "sweep.jobs=2", cwd=tmp_path, SLOW_S="0.02")
    other = start("-m", *SMALL, "seed=3,2,1,0,4", "sweep.jobs=2", cwd=tmp_path, SLOW_S="0.02")
    (code, said), (other_code, other_said) = finish(one), finish(other)
    assert (code, other_code) == (0, 0), said + other_said
    found = recorded(tmp_path)
    assert sorted(found) == [0, 1, 2, 3, 4] and {record["status"] for record in found.values()} == {"done"}
    for record in found.values():  # one training each: a second one would have started the points again
        lines = (tmp_path / "outputs" / record["identity"] / "metrics.jsonl").read_text().splitlines()
        steps = [json.loads(line)["step"] for line in lines if "train/loss" in line]
        assert steps == sorted(steps)
    for folder in (tmp_path / "outputs" / "sweeps").iterdir():
        runs = json.loads((folder / "sweep.json").read_text())["runs"]
        assert {run["status"] for run in runs} == {"done"}


def test_a_run_left_open_by_a_dead_process_is_closed_at_the_next_start(tmp_path: Path) -> None:
    dead, living = tmp_path / "outputs" / "dead", tmp_path / "outputs" / "living"
    for folder in (dead, living):
        folder.mkdir(parents=True)
        write_json(folder / "record.json", {"schema_version": 1, "status": "running", "identity": folder.name})
    with FileLock(living / ".lock"):
        assert run_cli(*SMALL, "seed=1", cwd=tmp_path).returncode == 0
    assert (read(living) or {})["status"] == "running"
    closed = read(dead)
    assert closed is not None and closed["status"] == "killed" and "ended unexpectedly" in closed["reason"]


def test_a_mistake_that_shows_in_one_job_only_stops_the_command_before_anything_runs(tmp_path: Path) -> None:
    done = run_cli("-m", *SMALL, "train.batch_size=2,32", "train.accumulate=4", cwd=tmp_path)
    assert done.returncode == 2 and "train.batch_size=2" in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "outputs" / "sweeps").exists()


def test_a_checkpoint_that_is_not_there_is_one_mistake_of_the_sweep_and_not_one_of_each_job(tmp_path: Path) -> None:
    for name, kind in {"empty": "bert", "other": "t5"}.items():
        (tmp_path / name).mkdir()
        config = {"model_type": kind, "vocab_size": 90, "num_hidden_layers": 1, "is_encoder_decoder": kind == "t5"}
        (tmp_path / name / "config.json").write_text(json.dumps(config))
    words = ["model=auto", f"model.pretrained={tmp_path / 'empty'},{tmp_path / 'other'}", "data=demo", "seed=0,1,2"]
    said = run_cli("-m", *words, "tracker=none", cwd=tmp_path)
    assert said.returncode == 2, said.stderr
    assert "2 mistakes" in said.stderr and said.stderr.count("and 2 more") == 2
    assert "has no model.safetensors" in said.stderr and "a t5 is not a text encoder" in said.stderr
    assert not said.stdout and not (tmp_path / "outputs").exists()
