"""The output of a sweep on the screen."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from runner.experiment.outcome import Outcome
from runner.sweep.ledger import sweep_identity
from runner.sweep.plan import Job
from runner.sweep.table import SearchTable, Table, duration_text, score_text
from runner.sweep.worker import Running
from tests.records import a_record


@pytest.mark.parametrize(("seconds", "said"), [(0.4, "0 s"), (89, "89 s"), (90, "2 min"), (5400, "1.5 h")])
def test_a_duration_is_said_in_the_unit_that_fits(seconds: float, said: str) -> None:
    assert duration_text(seconds) == said


def test_a_job_without_a_record_has_no_score() -> None:
    assert score_text(Job(0, ["seed=0"])) == ""
    done = Job(0, ["seed=0"], record=a_record(metrics={"test/accuracy": 0.91234}))
    assert score_text(done).startswith("test/accuracy 0.9123")


def test_failed_jobs_end_in_a_table_with_their_reasons(capsys: pytest.CaptureFixture[str]) -> None:
    jobs = [
        Job(0, ["model=dsn", "seed=0"], status="done"),
        Job(1, ["model=dsn", "seed=1"], status="failed", reason="x"),
    ]
    Table(jobs, slots=1).close()
    said = capsys.readouterr().out
    assert "did not finish" in said and "seed=1" in said and "seed=0" not in said


def test_runs_of_a_sweep_over_files_are_told_apart_by_them() -> None:
    files = ["a.csv", "b.csv", "c d.csv"]
    words = [["model=dsn", "data=files", f"data.path='{file}'", "paths.output=o"] for file in files]
    table = Table([Job(number, own) for number, own in enumerate(words)], slots=1)
    assert [table._name(job) for job in table.jobs] == [own[2] for own in words]
    assert sweep_identity(words[:2]) != sweep_identity(words[1:]), "sweeps over other files are other sweeps"


def test_a_search_is_shown_by_names_and_selection_scores(capsys: pytest.CaptureFixture[str]) -> None:
    record = a_record(metrics={"val/accuracy": 0.81, "test/accuracy": 0.99})
    record = replace(record, data=replace(record.data, selection="val/accuracy"))
    done = Job(0, ["model=ngram", "seed=0"], status="done", record=record, seconds=3.0)
    late = Job(1, ["model=dsn"], status="killed", reason="stopped after 9 s", seconds=9.0)
    paused = Job(2, ["model=dsn"], status="killed", seconds=1.0, outcome=Outcome(0, replace(record, status="killed")))
    whole = replace(record, config=record.config | {"data": {"fold": "all"}})
    on_all = Job(3, ["model=ngram", "data.fold=all"], status="done", record=whole, seconds=2.0)
    table = SearchTable([done, late, paused, on_all], 1, lambda words: f"a {words[0][6:]}")
    for job in (done, late, paused, on_all):
        table.ended(job)
    table.close()
    said = capsys.readouterr().out
    assert "done     a ngram  val/accuracy 0.8100  3.0 s" in said and "0.99" not in said and "model=" not in said
    assert "stopped  a dsn  9.0 s" in said and "stopped after 9 s" in said and "to cut   a dsn  1.0 s" in said
    assert "done     a ngram  2.0 s" in said, "its selection rows are among those it was trained on"
    assert "did not finish" not in said


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_live_table_keeps_names_times_and_memory_at_every_width(width: int, tmp_path: Path) -> None:
    words = [["model=dsn", f"optimizer.lr=0.00{number}", "model/embedding=token_random"] for number in (1, 2)]
    words[1][2] = "model/embedding=hash"
    log = tmp_path / "log.txt"
    log.write_text("epoch 1  val/accuracy 0.5  " + "x" * 90, encoding="utf-8")
    jobs = [Job(number, own, log=log) for number, own in enumerate(words)]
    table = Table(jobs, slots=2)
    table.console = Console(file=io.StringIO(), width=width)
    with table.console.capture() as captured:
        table.console.print(table._draw([Running(job, 1, object(), None, peak_bytes=1_500_000_000) for job in jobs], 3))  # type: ignore[arg-type]
    lines = captured.get().splitlines()
    assert max(map(len, lines)) <= width and any("1.50" in line for line in lines)
    assert sum("optimizer.lr=0.00" in line for line in lines) == 2 and any("epoch" in line for line in lines)


def test_a_job_is_named_by_what_the_command_did_not_fix() -> None:
    table = Table([Job(0, ["model=dsn", "optimizer.lr=0.1"])], 1, ["model=dsn", "hydra/sweeper=optuna"])
    assert table._name(table.jobs[0]) == "optimizer.lr=0.1"
    table.jobs.append(Job(1, ["model=dsn", "optimizer.lr=0.2"]))
    assert [table._name(job) for job in table.jobs] == ["optimizer.lr=0.1", "optimizer.lr=0.2"]
