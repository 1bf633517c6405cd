"""Hydra's side of a sweep: the launcher `local` (one process per job, in parallel) and the sweeper `grid`.

`grid` is Hydra's own sweeper without its sequential check of every job: the launcher composes them anyway, in parallel,
and checks more.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from omegaconf import OmegaConf, open_dict

from runner.compare.claims import judge_claims
from runner.compare.short_table import show_runs
from runner.config.check_values import check_field
from runner.config.compose import given_words
from runner.config.deferral import typed_override
from runner.errors import ConfigError, refuse, unusable_folder
from runner.experiment.outcome import Outcome
from runner.machine.facts import usable_cores
from runner.machine.threads import set_threads
from runner.sanitize import say
from runner.sweep.claim_keys import unknown_keys
from runner.sweep.job_function import JobFunction
from runner.sweep.ledger import Ledger, Search
from runner.sweep.other_data import on_other_data
from runner.sweep.plan import Job, check_starts, plan_jobs
from runner.sweep.pool import Overdue, Pool, visible_gpus
from runner.sweep.settings import SweepSettings
from runner.sweep.worker import Task

Plugins.instance()  # first: this scan loads the module of BasicSweeper again, and no object is made of its former class
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper  # noqa: E402

if TYPE_CHECKING:
    from hydra.core.config_loader import ConfigLoader
    from hydra.types import HydraContext, TaskFunction
    from omegaconf import DictConfig

REFUSED = 2


class Grid(BasicSweeper):
    """Every combination of the swept values, as one batch."""

    function: TaskFunction | None = None

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Keep the job function, which collects the outcomes, and start the launcher, as Hydra asks of a sweeper."""
        self.function = task_function
        super().setup(hydra_context=hydra_context, task_function=task_function, config=config)

    def validate_batch_is_legal(self, batch: Sequence[Sequence[str]]) -> None:
        """Exit with code 2 if a config is wrong, unless our launcher runs the jobs: it checks more."""
        if isinstance(self.launcher, LocalLauncher):
            return
        if self.config is None or self.hydra_context is None:
            raise RuntimeError("jobs without setup()")
        load = partial(self.hydra_context.config_loader.load_sweep_config, self.config)
        _refuse(plan_jobs(batch, load, usable_cores(), 1, is_here=False))

    @staticmethod
    def expand(words: Sequence[str], loader: ConfigLoader | None = None) -> list[list[str]]:
        """Return every combination once; of several values for a key, those of the last word count."""
        parsed = OverridesParser.create(config_loader=loader).parse_overrides(list(words))
        (batch,) = BasicSweeper.split_arguments(parsed, None)
        return [list(words) for words in dict.fromkeys(tuple(words) for words in batch)]

    def sweep(self, arguments: list[str]) -> Sequence[JobReturn]:
        """Run every combination and return the results, in order.

        Unlike Hydra's own, nothing is written here: a dump of the config could hold a tracker's password.
        """
        if self.config is None or self.launcher is None or self.hydra_context is None:
            raise RuntimeError("sweep() before setup()")
        words = [*file_overrides(self.config), *arguments]
        batch = self.expand(words, self.hydra_context.config_loader)
        self.validate_batch_is_legal(batch)
        results = self.launcher.launch(batch, initial_job_idx=0)
        outcomes = [result.return_value for result in results]
        if isinstance(self.function, JobFunction):
            self.function.collect(outcomes)
        if not isinstance(self.launcher, LocalLauncher):  # our launcher prints this table, and more
            records = [outcome.record for outcome in outcomes if outcome.record]
            show_runs(records, Path(str(self.config.paths.output)).expanduser().absolute())
        return results


class LocalLauncher(Launcher):
    """Runs each job of a sweep in a process of its own on this machine."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger: Ledger | None = None
        # Set by a sweeper that calls `launch` repeatedly, and `finish` at the end: that it does so; its sweep, if that
        # has an id other than the hash of the jobs; and which running jobs to end.
        self.in_batches = False
        self.search: Search | None = None
        self.study: str | None = None  # the name of Optuna's study
        self.overdue: Overdue | None = None

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Keep the context, the job function and the config, as Hydra asks of a launcher."""
        self.context, self.function, self.config = hydra_context, task_function, config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Run the jobs that are not done yet, and return one result each, in order.

        Leaves with exit code 2 before anything starts if a config is wrong. Raises KeyboardInterrupt.
        """
        if not hasattr(os, "fork"):
            sys.exit(refuse(["hydra/launcher=local needs a system with fork. Try: run -m hydra/launcher=basic ..."]))
        try:
            sweep = sweep_settings(self.config)
        except ConfigError as error:
            sys.exit(refuse(str(error).splitlines()))
        slots = slots_for(sweep, len(job_overrides), self.config.device)
        jobs = plan_jobs(job_overrides, self._load, usable_cores(), min(slots, usable_cores()))
        check_starts(jobs)
        _refuse(jobs)
        if self.ledger is None:  # not for each batch of a search
            for line in unknown_keys(on_other_data(sweep, self._typed()).claims, jobs):
                say(f"note: {line}")
        for number, job in enumerate(jobs, initial_job_idx):
            with_number(job, number)
        try:
            self._run_and_record(jobs, sweep, slots)
        except OSError as error:
            sys.exit(refuse(unusable_folder(error)))
        return [_returned(job) for job in jobs]

    def _run_and_record(self, jobs: list[Job], sweep: SweepSettings, slots: int) -> None:
        """Run the jobs, and keep the ledger up to date until the last one has ended."""
        try:
            self._run(jobs, self._open(jobs, sweep, slots), sweep, slots)
        except BaseException:
            try:
                self.finish(interrupted=True)
            except OSError as error:  # a full disk: what ended the sweep counts
                say(f"the end of the sweep cannot be written: {error}", sys.stderr)
            raise
        if not self.in_batches:
            self.finish()

    def finish(self, interrupted: bool = False) -> None:
        """End the sweep: close its table, write its report, wait for its mirror."""
        if self.ledger is not None and self.ledger.folder.is_dir():  # else it could not be opened
            self.ledger.close(interrupted)
        self.ledger = None

    def _load(self, overrides: list[str]) -> DictConfig:
        return self.context.config_loader.load_sweep_config(self.config, overrides)

    def _typed(self) -> list[str]:
        """Return the words of the command as they were typed."""
        return [typed_override(word) for word in given_words(self.config.hydra.overrides.task)]

    def _open(self, jobs: list[Job], sweep: SweepSettings, slots: int) -> Ledger:
        """Return the ledger of the sweep: a new one, or with a further batch the one that is open."""
        if self.ledger is None:
            typed = self._typed()
            self.ledger = Ledger(typed, list(jobs), on_other_data(sweep, typed), slots, self.search, self.study)
            self.ledger.open()
        else:
            self.ledger.extend(jobs)
        return self.ledger

    def _run(self, jobs: list[Job], ledger: Ledger, sweep: SweepSettings, slots: int) -> None:
        todo = [job for job in jobs if job.status != "done"]
        if not todo:
            return
        Path(str(self.config.hydra.sweep.dir)).mkdir(parents=True, exist_ok=True)
        load_libraries({job.settings.data.source for job in todo if job.settings})
        alive = os.pipe()
        stop = sweep.on_failure == "stop"
        task = Task(self.function, self.context, min(slots, usable_cores()), alive)
        try:
            Pool(task, ledger, slots=slots, memory_gb=sweep.memory_gb, stop_on_failure=stop, overdue=self.overdue).run(
                todo
            )
        finally:
            for end in alive:
                os.close(end)


def sweep_settings(config: DictConfig) -> SweepSettings:
    """Return the `sweep` node of a composed config.

    Raises ConfigError for a value out of range, or a claim that could not be judged later: a file may have them.
    """
    found = OmegaConf.merge(OmegaConf.structured(SweepSettings), OmegaConf.to_container(config.sweep, resolve=True))
    settings: SweepSettings = OmegaConf.to_object(found)  # type: ignore[assignment]
    values = {key: vars(settings)[key] for key in ("on_failure", "jobs", "memory_gb")}
    if wrong := [p for key, value in values.items() if (p := check_field(SweepSettings, key, value, "sweep."))]:
        raise ConfigError("\n".join(wrong))
    judge_claims(settings.claims, [])
    return settings


def file_overrides(config: DictConfig) -> list[str]:
    """Return the overrides of `hydra.sweeper.params`, which the command line follows and replaces.

    They are read here because Hydra resolves what it hands to a sweeper once more, where `\\${seed}` in a sweep's file
    would become the seed of the defaults and not that of each run.
    """
    return [f"{key}={value}" for key, value in (config.hydra.sweeper.params or {}).items()]


def slots_for(sweep: SweepSettings, count: int, device: str) -> int:
    """Return how many of `count` jobs run in parallel: sweep.jobs, else one per GPU if there are any, else one per
    core.

    device: as the command gives it; GPUs do not count where it is cpu.
    """
    gpus = 0 if device == "cpu" else len(visible_gpus())
    return max(1, min(sweep.jobs or gpus or usable_cores(), count))


LIBRARIES = (
    "torch", "torch._dynamo", "safetensors.torch", "tokenizers", "pandas", "pyarrow.parquet", "scipy.stats",
    "sklearn.metrics", "runner.experiment.run",
)  # fmt: skip


def load_libraries(sources: set[str]) -> None:
    """Import once, before forking, the libraries that every job needs: this saves two seconds a job.

    Importing them computes nothing, and starts no threads, which a fork would not inherit. sources: of the data.
    """
    set_threads(1)
    for name in (*LIBRARIES, *(["datasets"] if "hub" in sources else [])):
        importlib.import_module(name)


def with_number(job: Job, number: int) -> None:
    """Give a job its number in the sweep, in its config too, as Hydra's launchers do."""
    assert job.config is not None, "only composed jobs are numbered"
    job.number = number
    with open_dict(job.config):
        job.config.hydra.job.id = job.number
        job.config.hydra.job.num = job.number


def _refuse(jobs: list[Job]) -> None:
    """Exit with code 2 if a config is wrong, naming each mistake once."""
    problems: dict[str, list[str]] = {}
    for job in jobs:
        for problem in (job.problem or "").splitlines():
            problems.setdefault(problem, []).append(job.label)
    if problems:
        lines = [
            f"{problem} ({where[0]}{f' and {len(where) - 1} more' if where[1:] else ''})"
            for problem, where in problems.items()
        ]
        sys.exit(refuse(lines))


def _returned(job: Job) -> JobReturn:
    """Return a job's result as Hydra's launchers give it."""

    found = JobReturn(overrides=job.overrides, working_dir=str(Path.cwd()), task_name="run")
    found.cfg = job.config
    found.status = JobStatus.COMPLETED
    found.return_value = job.outcome or Outcome(int(job.status != "done"), job.record, job.reason)
    return found
