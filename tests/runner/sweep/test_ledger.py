"""The state of a sweep on disk."""

from __future__ import annotations

from pathlib import Path

from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.record.sweep_record import SweepRecord, read_sweep
from runner.sweep.ledger import Ledger, Search, sweep_identity
from runner.sweep.plan import Job
from runner.sweep.settings import SweepSettings


def test_a_sweep_is_named_by_the_set_of_what_it_computes() -> None:
    jobs = [["model=dsn", "seed=0"], ["model=dsn", "seed=1"]]
    assert sweep_identity(jobs) == sweep_identity([[*job, "sweep.jobs=2", "tracker=none"] for job in reversed(jobs)])
    assert sweep_identity(jobs) != sweep_identity([*jobs, ["model=dsn", "seed=2"]])
    assert sweep_identity(jobs) != sweep_identity([[*job, "calibration=vector"] for job in jobs]), "other runs"


def open_ledger(output: Path) -> Ledger:
    words = ["model=dsn", "data=demo", "tracker=none", f"paths.output={output}"]
    jobs = [Job(number, [*words, f"seed={number}"], settings=resolve(compose(words))) for number in range(2)]
    ledger = Ledger(words, jobs, SweepSettings(name="two", question="why?"), slots=1)
    ledger.open()
    return ledger


def test_a_sweep_is_on_disk_from_its_start_to_its_end(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    sweep = read_sweep(ledger.folder)
    assert sweep.status == "running" and [run.status for run in sweep.runs] == ["new", "new"]
    assert sweep.runs[0].overrides == ["model=dsn", "data=demo", "seed=0"]
    ledger.jobs[0].status, ledger.jobs[1].status = "done", "failed"
    ledger.close(interrupted=False)
    sweep = read_sweep(ledger.folder)
    assert (sweep.status, sweep.title, sweep.question) == ("failed", "two", "why?") and sweep.ended


def test_an_interrupted_sweep_is_killed(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    ledger.close(interrupted=True)
    assert read_sweep(ledger.folder).status == "killed"


def test_the_log_of_a_job_moves_to_its_run_without_credentials(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    job = ledger.jobs[0]
    job.identity, job.log, job.status = "0123456789", ledger.log(job), "done"
    (tmp_path / job.identity).mkdir()
    job.log.write_text("writes to https://me:secret@host", encoding="utf-8")
    ledger.ended(job)
    text = (tmp_path / job.identity / "log.txt").read_text(encoding="utf-8")
    assert text.startswith("writes to") and "secret" not in text
    ledger.close(interrupted=False)


def test_the_log_of_a_job_without_a_run_folder_has_no_credentials_either(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    job = ledger.jobs[0]
    job.log, job.status, job.reason = ledger.log(job), "failed", "no such file"
    job.log.write_text("reads https://me:secret@host", encoding="utf-8")
    ledger.ended(job)
    assert job.log.read_text(encoding="utf-8") == "reads https://***@host"
    ledger.log(ledger.jobs[1]).write_text("reads https://me:secret@host", encoding="utf-8")  # then it is killed
    ledger.close(interrupted=True)
    again = open_ledger(tmp_path)
    assert again.log(again.jobs[1]).read_text(encoding="utf-8") == "reads https://***@host"
    again.close(interrupted=True)


def test_the_same_sweep_in_a_second_terminal_writes_to_logs_of_its_own(tmp_path: Path) -> None:
    first, second = open_ledger(tmp_path), open_ledger(tmp_path)
    assert first.log(first.jobs[0]).parent == second.log(second.jobs[0]).parent
    assert first.log(first.jobs[0]) != second.log(second.jobs[0])
    second.close(interrupted=True)
    first.close(interrupted=True)


def test_a_search_keeps_the_runs_of_its_earlier_launches(tmp_path: Path) -> None:
    words = ["model=dsn", "data=demo", "tracker=none", f"paths.output={tmp_path}"]
    search = Search("0123456789", lambda job: job[0])

    def launch(*seeds: int, status: str, pause: bool = False) -> SweepRecord:
        more = ["checkpoint.pause_at=0.3"] if pause else []
        jobs = [
            Job(seed, [*words, f"seed={seed}", *more], settings=resolve(compose(words)), status=status)
            for seed in seeds
        ]
        ledger = Ledger(words, jobs, SweepSettings(), 1, search)
        ledger.open()
        ledger.close(interrupted=False)
        assert ledger.folder.name == "0123456789"
        return read_sweep(ledger.folder)

    assert [run.status for run in launch(0, 1, status="killed", pause=True).runs] == ["killed", "killed"]
    found = launch(1, 2, status="done")
    assert [(run.overrides[-1], run.status) for run in found.runs] == [
        ("seed=0", "killed"), ("seed=1", "done"), ("seed=2", "done"),
    ]  # fmt: skip
