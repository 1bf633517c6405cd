"""What is kept and said of a sweep: sweep.json, the logs, the mirror, and at its end the comparison.

The folder of a sweep is <paths.output>/sweeps/<id>; the id is a hash of the set of its jobs, so that the same command
again is the same sweep.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from runner.record import abandoned as stale
from runner.record.command import essential
from runner.record.raw import now, tidy, write_json
from runner.record.record import RunRecord
from runner.record.table import show_comparison
from runner.sanitize import mask, masked
from runner.sweep.plan import Job, output_of
from runner.sweep.table import Table
from runner.sweep.worker import Running
from runner.track.settings import TrackerSettings

SWEEP = "sweep.json"
EVERY_S = 1.0  # between two writings of sweep.json


def identify(jobs: Sequence[Sequence[str]]) -> str:
    """The ten hexadecimal digits that name a set of jobs; how and where they are run is left out."""
    return hashlib.sha256(json.dumps(sorted({tuple(sorted(essential(job))) for job in jobs})).encode()).hexdigest()[:10]


class Ledger:
    """One sweep while it goes on."""

    def __init__(self, overrides: list[str], jobs: list[Job], sweep: dict[str, Any], slots: int) -> None:
        first = jobs[0].settings
        if first is None:
            raise ValueError("the first job was not composed")
        self.jobs, self.slots, self.output, self.tracker = jobs, slots, output_of(first), first.tracker
        self.id = identify([job.overrides for job in jobs])
        self.folder = self.output / "sweeps" / self.id
        self.content: dict[str, Any] = {
            "id": self.id,
            "name": sweep.get("name"),
            "question": sweep.get("question"),
            "overrides": overrides,
            "runs": [],
            "claims": sweep.get("claims") or [],
            "baseline": sweep.get("baseline"),
            "started": now(),
            "ended": None,
            "status": "running",
        }
        self.table = Table(jobs, slots)
        self._mirrors: dict[str, Any] = {}
        self._written = 0.0
        self._lock: Any = None

    def open(self) -> None:
        """Begin: close what dead processes left open, say what is to be done."""
        from filelock import FileLock, Timeout

        (self.folder / "logs").mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(self.folder / ".lock")
        with contextlib.suppress(Timeout):  # the same sweep in another terminal: both go on, no run is done twice
            self._lock.acquire(timeout=0)
            tidy(self.folder)
        self.table.open(self.content["name"] or self.id)
        for folder in stale.close_all(self.output):
            self.table.say(f"run {folder.name} was left open by a process that is gone; closed as killed")
            self._request(self.tracker, folder)
        self.write()
        if any(not job.was_done for job in self.jobs):
            self._request(self.tracker, self.folder)

    def extend(self, jobs: list[Job]) -> None:
        """A further batch of the same sweep, as a tuner asks for them."""
        self.jobs.extend(jobs)

    def log(self, job: Job) -> Path:
        """Where the output of a job goes while it runs."""
        return self.folder / "logs" / f"{job.number:04d}.txt"

    def started(self, job: Job) -> None:
        """A job's process has begun."""
        self.table.started(job)

    def ended(self, job: Job) -> None:
        """A job has its final status."""
        if job.identity and job.log and job.log.exists() and not job.was_done:
            folder = self.output / job.identity
            if folder.is_dir():
                job.log = _kept(job.log, folder / "log.txt")
                self._request(job.settings.tracker if job.settings else self.tracker, folder)
        self.table.ended(job)
        if not job.was_done:
            self._request(self.tracker, self.folder)

    def tick(self, running: Sequence[Running], waiting: int) -> None:
        """Bring screen and file up to date, now and then."""
        self.table.update(running, waiting)
        if time.monotonic() - self._written > EVERY_S:
            self.write()

    def mirror(self, settings: dict[str, Any], folder: str) -> None:
        """A job asks for its folder to be mirrored."""
        self._request(TrackerSettings(**settings), Path(folder))

    def _request(self, settings: TrackerSettings, folder: Path) -> None:
        """One helper mirrors the runs of all; where the tracker itself is swept, one for each."""
        from runner.track.mirror import start_mirror

        key = repr(settings)
        if key not in self._mirrors:
            self._mirrors[key] = start_mirror(settings, self.output)
        if self._mirrors[key] is not None:
            self._mirrors[key].request(folder)

    def write(self) -> None:
        """Write sweep.json."""
        self._written = time.monotonic()
        self.content["runs"] = [
            {
                "identity": job.identity,
                "overrides": essential(job.overrides),
                "status": job.status,
                "reason": job.reason,
                "seconds": job.seconds,
                "peak_bytes": job.peak_bytes,
            }
            for job in self.jobs
        ]
        write_json(self.folder / SWEEP, masked(self.content))

    def close(self, interrupted: bool) -> None:
        """End: the table, the report, the final file, and the mirror brought up to date with all of them."""
        states = {job.status for job in self.jobs}
        self.table.close()
        records = [job.record for job in self.jobs if job.record]
        try:
            if not interrupted:
                compare(records, self.folder, self.content)
        finally:
            status = "killed" if interrupted else "failed" if states & {"failed", "killed"} else "done"
            self.content |= {"status": status, "ended": now()}
            self.write()
            self._finish_mirrors(AFTER_CTRL_C_S if interrupted else None)
            if self._lock is not None:
                self._lock.release()

    def _finish_mirrors(self, wait_s: float | None) -> None:
        if any(self._mirrors.values()):
            self._request(self.tracker, self.folder)
        for mirror in filter(None, self._mirrors.values()):
            problem = mirror.close(wait_s)
            if problem:
                self.table.say(problem)


def _kept(log: Path, target: Path) -> Path:
    """The log in its place; libraries log addresses, and MLflow gets the file."""
    text = log.read_text(encoding="utf-8", errors="replace")
    if mask(text) != text:
        log.write_text(mask(text), encoding="utf-8")
    return log.replace(target)


AFTER_CTRL_C_S = 1.2  # as after a lone run: an interrupted command ends within two seconds


def compare(records: list[dict[str, Any]], folder: Path, content: dict[str, Any]) -> None:
    """What a sweep ends with: its runs side by side, and the report in its folder.

    The report is attached to the sweep's parent run in MLflow, as every file in the folder is. It names the runs that
    did not end well and leaves them out.
    """
    from runner.compare.report import write_report

    done = [record for record in records if record["status"] == "done"]
    if len(done) > 1:
        show_comparison([RunRecord.from_json(record) for record in done])
    if done:
        kept = {key: content[key] for key in ("question", "claims", "baseline")}
        write_report(map(RunRecord.from_json, records), folder, title=content["name"] or content["id"], **kept)
