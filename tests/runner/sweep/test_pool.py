"""The processes of a sweep: how each ends, and which GPU it gets."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from types import SimpleNamespace

import pytest

from runner.experiment.outcome import Outcome
from runner.schema import Settings
from runner.sweep import launcher, pool
from runner.sweep.plan import Job
from runner.sweep.pool import _take_outcome, end_reason, visible_gpus
from runner.sweep.settings import SweepSettings
from tests.fork_server import environment_of, fork_server
from tests.records import a_record


def test_a_dead_process_is_told_in_words() -> None:
    assert "segmentation fault" in end_reason(-11) and "SIGKILL" in end_reason(-9) and "exit code 3" in end_reason(3)
    assert end_reason(-1) == "killed by SIGHUP"


def test_a_job_takes_over_the_outcome_of_its_process() -> None:
    job = Job(0, ["seed=0"])
    _take_outcome(job, Outcome(0, a_record(identity="0123456789", status="done"), was_done=True))
    assert (job.status, job.identity, job.was_done) == ("done", "0123456789", True)
    refused = Job(1, ["seed=1"])
    _take_outcome(refused, Outcome(2, reason="no such file"))
    assert (refused.status, refused.reason, refused.record) == ("failed", "no such file", None)


def test_the_wait_for_a_run_of_another_process_is_not_the_time_that_the_run_took() -> None:
    job = Job(0, ["seed=0"], status="running", seconds=900.0, peak_bytes=7)
    record = a_record(identity="0123456789", status="done", metrics={"time/total_s": 12.5})
    _take_outcome(job, Outcome(0, record, was_done=True))
    assert (job.seconds, job.peak_bytes) == (12.5, None)
    own = Job(0, ["seed=0"], status="running", seconds=14.0, peak_bytes=7)
    _take_outcome(own, Outcome(0, record))
    assert (own.seconds, own.peak_bytes) == (14.0, 7), "of a run of its own all of its time"


def test_the_gpus_are_those_that_the_environment_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    for text, expected in (("5,7", ["5", "7"]), ("-1", []), ("", [])):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", text)
        assert visible_gpus() == expected


def test_each_job_has_a_gpu_of_its_own_and_one_that_wants_none_has_none(tmp_path: Path) -> None:
    words = ["-m", "model=dsn", "data=demo", "tracker=none", "device=auto,cpu", "seed=0,1", "sweep.jobs=2"]
    environment = environment_of({"CUDA_VISIBLE_DEVICES": "5,7"})
    assert fork_server().suits(environment)
    child = fork_server().start("tests.runner.sweep.shown_gpus", words, tmp_path, environment)
    out, err = child.communicate()
    assert child.wait() == 0, err
    line = next(line for line in out.splitlines() if line.startswith("RETURNED"))
    devices = json.loads(line.removeprefix("RETURNED"))
    assert set(devices[:2]) == {"5", "7"}
    assert set(devices[2:]) == {"5,7"}, "untouched: they use none"


@pytest.mark.parametrize(("slots", "gpus"), [(2, ["5", "7"]), (4, ["5", "5", "7", "7"]), (3, ["5", "5", "7"])])
def test_jobs_share_the_gpus_where_more_are_asked_for_than_there_are(
    slots: int, gpus: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5,7")
    monkeypatch.setattr(pool, "usable_cores", lambda: 16)
    monkeypatch.setattr(pool, "look_up_record", lambda _job: None)
    given: list[str | None] = []

    def start(job: Job, *_: object, gpu: str | None, **__: object) -> SimpleNamespace:
        given.append(gpu)
        return SimpleNamespace(job=job, gpu=gpu)

    monkeypatch.setattr(pool, "start", start)
    ledger = SimpleNamespace(log=lambda _job: Path("log"), started=lambda _job: None)
    filled = pool.Pool(SimpleNamespace(), ledger, slots=slots, memory_gb=None, stop_on_failure=False)  # type: ignore[arg-type]
    filled.waiting.extend(Job(number, [], settings=Settings()) for number in range(9))
    filled._fill()
    assert sorted(filter(None, given)) == gpus


def test_gpus_limit_the_jobs_only_of_commands_that_use_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5,7")
    monkeypatch.setattr(launcher, "usable_cores", lambda: 16)
    one, four = SweepSettings(), SweepSettings(jobs=4)
    assert [launcher.slots_for(sweep, 9, "auto") for sweep in (one, four)] == [2, 4]
    assert [launcher.slots_for(sweep, 9, "cpu") for sweep in (one, four)] == [9, 4]


def test_a_job_that_is_overdue_is_ended_once_as_ctrl_c_would(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr(pool.os, "kill", lambda pid, number: sent.append((pid, number)))
    running = [SimpleNamespace(job=Job(n, [str(n)]), began=0.0, ended_for=None, pid=n) for n in (7, 8)]
    asked = pool.Pool.__new__(pool.Pool)
    asked.running = running  # type: ignore[assignment]
    asked.overdue = lambda job, seconds: "too long" if job.number == 7 and seconds > 1 else None
    asked._limit_time()
    asked._limit_time()
    assert sent == [(7, signal.SIGTERM)] and [one.ended_for for one in running] == ["too long", None]


def test_ctrl_c_while_the_next_job_is_looked_up_ends_the_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = SimpleNamespace(tick=lambda *_: None)
    filled = pool.Pool(SimpleNamespace(), ledger, slots=2, memory_gb=None, stop_on_failure=False)  # type: ignore[arg-type]
    filled.cores = 1  # the second job does not fit beside the first
    filled.running = [SimpleNamespace(job=Job(0, []), pipe=None, pid=1, gpu=None)]  # type: ignore[list-item]
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr(pool.os, "kill", lambda pid, number: sent.append((pid, number)))
    monkeypatch.setattr(pool, "look_up_record", lambda _job: filled._interrupt(signal.SIGINT, None))
    monkeypatch.setattr(pool, "wait", lambda *_: filled.running.clear() or [])  # type: ignore[func-returns-value]
    fill = filled._fill
    rounds = iter([fill, fill])
    monkeypatch.setattr(filled, "_fill", lambda: next(rounds)())  # a third one would be the first of many
    with pytest.raises(KeyboardInterrupt):
        filled.run([Job(1, [])])
    assert sent == [(1, signal.SIGTERM)]
