"""The jobs of a command: composed in parallel, checked before anything starts, and looked up among the finished runs.

jobs = plan_jobs([["model=dsn", "seed=0"], ...], load, processes=4)
[job.problem for job in jobs]         # the user's mistakes
remaining_seconds([...], jobs, 4)     # from finished siblings
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

from data.sources.choice import check_files
from models.settings import pretrains_first
from runner.config.check_values import check_settings
from runner.config.compose import config_errors
from runner.config.composer import Composer
from runner.config.resolve import resolve
from runner.errors import USER_ERRORS, ConfigError, unreadable
from runner.experiment import identity_index as index
from runner.experiment.outcome import Outcome
from runner.machine.forked import compute_forked, map_forked
from runner.record.abandoned import is_held
from runner.record.folder import check_writable, read_record
from runner.record.record import RunRecord
from runner.sanitize import mask
from runner.schema import Settings
from runner.tasks.make import target_of

if TYPE_CHECKING:
    from omegaconf import DictConfig

Load = Callable[[list[str]], "DictConfig"]  # from a job's overrides to its composed config


@dataclass
class Job:
    """One run of a sweep: its settings, its status, and how it ended."""

    number: int
    overrides: list[str]
    config: DictConfig | None = None  # composed, with Hydra's node
    settings: Settings | None = None
    problem: str | None = None  # the user's mistake in it
    status: str = "new"  # new | running | done | failed | killed
    identity: str | None = None
    reason: str | None = None
    record: RunRecord | None = None  # of a finished run
    was_done: bool = False  # before this command
    seconds: float | None = None  # that it took, now or then
    peak_bytes: int | None = None  # resident
    log: Path | None = None
    outcome: Outcome | None = None  # of the run, from its process

    @property
    def is_paused(self) -> bool:
        """Did the run end where it was told to pause, to go on later?"""
        return self.outcome is not None and self.outcome.is_paused

    @property
    def threads(self) -> int:
        """Cores the run uses."""
        return (self.settings.train.threads if self.settings else None) or 1

    @property
    def words(self) -> list[str]:
        """The overrides without those that say how to run."""
        hidden = ("sweep.", "+sweep=", "hydra")
        return [mask(word) for word in self.overrides if not word.startswith(hidden)]

    @property
    def label(self) -> str:
        """The words in one line."""
        return " ".join(self.words)


def plan_jobs(
    overrides: Sequence[Sequence[str]], load: Load, processes: int, jobs_beside: int, *, is_here: bool = True
) -> list[Job]:
    """Return the jobs in order, each with its settings or its mistake, and with its record if it is done.

    load: composes one. processes: how many compose in parallel. jobs_beside: runs that will share the cores. is_here:
    look into their output folder? Jobs of other machines may not have it here.
    """
    jobs = [Job(number, list(words)) for number, words in enumerate(overrides)]
    composer, examine = Composer(load), examine_job if is_here else compose_job

    def one(job: Job) -> Job:
        return examine(job, composer, jobs_beside)

    return map_forked(one, jobs, processes)


def examine_job(job: Job, load: Load, jobs_beside: int) -> Job:
    """Compose one job and look up whether it is done."""
    compose_job(job, load, jobs_beside)
    if job.problem is not None or job.settings is None:
        return job
    try:
        check_writable(output_of(job.settings))
        look_up_record(job)
    except ConfigError as error:
        job.problem = str(error)
    except OSError as error:  # a path that is too long, or in a folder that may not be entered
        (job.problem,) = unreadable(error)
    return job


def compose_job(job: Job, load: Load, jobs_beside: int) -> Job:
    """Compose one job and check its settings, which are the same on any machine."""
    try:
        with config_errors():
            job.config = load(job.overrides)
        job.settings = resolve(job.config, jobs_beside, job.overrides)
        job.problem = "\n".join(check_settings(job.settings)) or None
    except ConfigError as error:
        job.problem = str(error)
    except OSError as error:
        (job.problem,) = unreadable(error)
    return job


def check_starts(jobs: Sequence[Job]) -> None:
    """Set the problem of jobs whose files or checkpoint cannot be used, such as missing ones.

    Each is looked at once for all jobs with the same data, or with the same model on texts of the same length.
    """
    problems: dict[str, str | None] = {}
    for job in jobs:
        settings = job.settings
        if settings is None or job.problem or job.status == "done":
            continue
        for check, key in _checks_of(settings):
            if key not in problems:
                problems[key] = check(settings)
            job.problem = job.problem or problems[key]


def _checks_of(settings: Settings) -> Iterator[tuple[Callable[[Settings], str | None], str]]:
    """Yield the checks of what a run starts from, each with a key that is equal wherever its result is."""
    model, data = settings.model, settings.data
    yield _file_problem, repr((data, settings.task.name))
    if not pretrains_first(model) and (model.pretrained or model.init_from):
        yield _checkpoint_problem, repr((model, settings.finished, data.max_length, data.added_tokens))


def _file_problem(settings: Settings) -> str | None:
    """Return the mistake in the local files of a run, in words; None for files with the columns that it needs."""
    data = settings.data
    if data.source != "files" and not data.calibration:
        return None
    # In a copy, as reading Parquet starts threads, which the processes of the jobs would lack.
    return compute_forked(lambda: _problem(lambda: check_files(data, target_of(settings))))


def _checkpoint_problem(settings: Settings) -> str | None:
    """Return the mistake in the checkpoint that a run starts from, in words; None for a sound one."""
    from runner.experiment.initial_model import check_checkpoint  # late: sweeps without checkpoints need no torch

    return _problem(lambda: check_checkpoint(settings))


def _problem(check: Callable[[], None]) -> str | None:
    """Return the mistake that a check finds, in words; None if there is none."""
    try:
        check()
    except USER_ERRORS as error:
        return str(error)
    except OSError as error:
        return unreadable(error)[0]
    return None


def look_up_record(job: Job) -> None:
    """Bring a job up to date with its record; a job with force=true is always new."""
    settings = job.settings
    if settings is None or settings.force:
        return
    output = output_of(settings)
    job.identity = index.recall(output, index.key(settings, job.overrides))
    record = read_record(output / job.identity) if job.identity else None
    if record is None:
        return
    job.status, job.reason = record.status, record.reason
    if job.status == "running" and not is_held(output / record.identity):
        job.status, job.reason = "killed", "its process ended unexpectedly"
    if job.status == "done":
        job.record, job.was_done = record, True
        job.seconds = record.metrics.get("time/total_s")


def output_of(settings: Settings) -> Path:
    """Return the absolute folder of run folders."""
    return Path(settings.paths.output).expanduser().absolute()


def expected_seconds(job: Job, finished: Sequence[Job]) -> float | None:
    """Return the seconds that a job will take: the mean of the finished jobs most like it.

    None while there are none.
    """
    for likeness in (_but_seed, _model_and_data, _data, _anything):
        alike = [d.seconds for d in finished if d.seconds is not None and likeness(d) == likeness(job)]
        if alike:
            return fmean(alike)
    return None


def remaining_seconds(waiting: Sequence[Job], finished: Sequence[Job], slots: int) -> float | None:
    """Seconds until the waiting jobs are done, `slots` at a time; None if nothing is known of any."""
    found = [expected_seconds(job, finished) for job in waiting]
    known = [seconds for seconds in found if seconds is not None]
    if len(known) < len(found):
        return None
    return max(sum(known) / slots, max(known, default=0.0))


def _but_seed(job: Job) -> object:
    return sorted(word for word in job.overrides if not word.startswith("seed="))


def _model_and_data(job: Job) -> object:
    return (job.settings.model.name, job.settings.data.name) if job.settings else None


def _data(job: Job) -> object:
    return job.settings.data.name if job.settings else None


def _anything(_job: Job) -> object:
    return None
