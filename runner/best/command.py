"""A whole search: the plan, its steps on a launcher, the choice, and what is printed."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from runner.best.agenda import Work
from runner.best.choice.show_result import show_result
from runner.best.conclude import conclude
from runner.best.evidence import Ending
from runner.best.plan.ahead import encoders_ahead
from runner.best.plan.make import make_plan
from runner.best.plan.show_plan import show_plan
from runner.best.run_time import time_bundle, time_run
from runner.best.search import Search, words_of
from runner.best.types import Budget, Plan, Result
from runner.cascade.within_time import make_within_time
from runner.errors import ConfigError, full_disk
from runner.experiment.outcome import Outcome
from runner.machine.forked import compute_forked
from runner.record.folder import check_writable
from runner.record.record import RunRecord
from runner.record.sweep_record import SWEEPS, sweep_folder
from runner.sanitize import say
from runner.sweep.ledger import Search as Sweep

if TYPE_CHECKING:
    from runner.schema import Settings
    from runner.sweep.launcher import LocalLauncher
    from runner.sweep.plan import Job

# Settings of every candidate. The n-gram model is itself a candidate; one thread gives the same bits on every machine.
SHARED = ("baseline.ngram=off", "train.threads=1")
# With a cap on time only single answers are timed, for as long as by measure=default, whose batches take longer.
TIMED = ("measure=quick", "measure.min_time_s=0.3", "measure.rounds=5", "measure.baseline=null")
INTERRUPTED = 130
PARTS = {"third": ", first third", "rest": ", to its end"}  # which part of a training a step is, on the screen
tell: Callable[[], float] = time.monotonic  # the clock of searches, in seconds


class Runs(Protocol):
    """Makes the runs of a search; BestSweeper, or a stand-in in tests."""

    @property
    def local(self) -> LocalLauncher | None: ...
    def load(self, overrides: Sequence[str]) -> Settings: ...
    def slots(self) -> int: ...
    def problem_of(self, overrides: Sequence[str]) -> str | None: ...
    def launch(self, batch: Sequence[Sequence[str]], first: int) -> list[Outcome]: ...


def search_inside(
    budget: Budget, words: list[str], runs: Runs, is_plan_only: bool = False
) -> tuple[Result | None, int]:
    """Plan, search and choose, print both, and return the result (None of a plan alone) and the exit code.

    words: the overrides of the command, which all candidates share. Raises the user's errors.
    """
    shared = shared_words(words, is_timed=budget.max_us is not None)
    settings = runs.load(shared)
    output = Path(settings.paths.output).expanduser().absolute()
    cache = Path(settings.paths.cache).expanduser()
    check_writable(output / SWEEPS)
    cache.mkdir(parents=True, exist_ok=True)  # before planning, whose process cannot say which folder is the user's
    if budget.steps is None:
        budget = replace(budget, jobs=budget.jobs or runs.slots())
    say("planning")
    with encoders_ahead(settings, shared, budget):
        plan = compute_forked(lambda: make_plan(settings, shared, budget, lambda _: None))
    for line in show_plan(plan):
        say(line)
    if is_plan_only:
        return None, 0
    folder = sweep_folder(output, plan.key)
    with hold_search(folder, plan):
        return _searched(plan, folder, output, shared, runs, cache)


def _searched(plan: Plan, folder: Path, output: Path, shared: list[str], runs: Runs, cache: Path) -> tuple[Result, int]:
    """Do the steps of a plan, choose, and print the result."""
    launching = Launching(plan, shared, runs, cache)
    search = Search(plan, folder, output, launching, runs.slots(), tell)
    launching.search = search
    if runs.local is not None:
        runs.local.in_batches, runs.local.overdue = True, launching.why_overdue
        runs.local.search = Sweep(plan.key, launching.name_of)
    is_interrupted = True
    try:
        stop = search.work()
        is_interrupted = stop.status == "interrupted"
        conclusion = conclude(search, stop, launching.train, launching.time_bundle)
    except KeyboardInterrupt:
        is_interrupted = True
        raise
    finally:
        if runs.local is not None:
            runs.local.finish(is_interrupted)
    for line in show_result(conclusion):
        say(line)
    result = conclusion.result
    if stop.status == "interrupted":
        found = "this is the best so far" if result.winner is not None else "no candidate is finished yet"
        say(f"{stop.reason}: {found}. Repeat the command to go on")
        return result, INTERRUPTED
    return result, 0 if result.winner is not None else 1


def shared_words(words: Sequence[str], *, is_timed: bool) -> list[str]:
    """Return the overrides that every candidate has: those of the command, and those that a search sets.

    is_timed: is there a cap on the time to answer? If not, rough times are enough.
    """
    given = {word.partition("=")[0] for word in words}
    own = [word for word in SHARED if word.partition("=")[0] not in given]
    return [*words, *own, *([] if "measure" in given else TIMED if is_timed else TIMED[:1])]


@contextlib.contextmanager
def hold_search(folder: Path, plan: Plan) -> Iterator[None]:
    """Hold the folder of a search; raise ConfigError if another process searches there."""
    from filelock import FileLock, Timeout

    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / ".search.lock", timeout=0):
            yield
    except Timeout:
        problem = f"another process is running search {plan.key}"
        raise ConfigError(f"{problem}. Try: wait for it, or another budget") from None


class Launching:
    """Starts the runs of steps, and decides which of them to stop for lack of time."""

    search: Search

    def __init__(self, plan: Plan, shared: Sequence[str], runs: Runs, cache: Path) -> None:
        self.plan, self.shared, self.runs, self.cache = plan, list(shared), runs, cache
        self._running: dict[tuple[str, ...], Work] = {}
        self._stopped: dict[tuple[str, ...], str] = {}

    def __call__(self, works: Sequence[Work]) -> list[Ending]:
        """Run the steps in parallel, then build the cascades, which are timed; return how each step ended, in order."""
        ended = iter(self._run([work for work in works if work.small is None]))
        return [
            self._joined(work)
            if work.small is not None
            else self._timed(next(ended), work.step.is_timed and work.step.part != "third")
            for work in works
        ]

    def _timed(self, ending: Ending, is_timed: bool = True) -> Ending:
        """Add the time per answer of the run's bundle, if there is a cap on it."""
        record, budget = ending.outcome.record, self.plan.budget
        if budget.max_us is None or not is_timed or record is None or record.status != "done":
            return ending
        say(f"timing answers by the bundle of {record.identity}")
        output, cache = self.search.output, self.cache
        try:
            return replace(ending, answer=compute_forked(lambda: time_run(record, output, cache, budget)))
        except (ConfigError, RuntimeError) as error:
            say(f"{error}. The time that the run measured is used")
            return ending

    def _joined(self, work: Work) -> Ending:
        """Return the cascade of two finished runs, on the same rows as they."""
        small, large, most = work.small, work.teacher, self.plan.budget.max_us
        assert small is not None and large is not None and most is not None, "planned with a cap on time"
        say(f"{work.candidate.name}: {small} where it is confident, {large} for the rest")
        output, pairs = self.search.output, self.search.agenda.pairs_of(work.candidate)
        try:
            record, _ = compute_forked(lambda: make_within_time(small, large, most, output, self.cache, pairs))
        except (ConfigError, RuntimeError) as error:
            return Ending(Outcome(2, reason=str(error)))
        return Ending(Outcome(0, record))

    def _run(self, works: Sequence[Work]) -> list[Ending]:
        batch = {tuple(words_of(self.shared, work, self.plan)): work for work in works}
        endings = {words: self._refused(words) for words in batch}
        self._running = {words: work for words, work in batch.items() if endings[words] is None}
        if self._running:
            if self.runs.local is None:  # other launchers have no table of running jobs
                say(f"started  {'; '.join(map(self.name_of, self._running))}")
            outcomes = self._launch(list(self._running), works[0].step.number)
            for words, outcome in zip(self._running, outcomes):
                endings[words] = Ending(outcome, self._stopped.pop(words, None))
        return [ending for ending in endings.values() if ending is not None]

    def _launch(self, batch: Sequence[Sequence[str]], first: int) -> list[Outcome]:
        """Make runs. Raises ConfigError if a full disk stopped one: in the journal it would count as tried."""
        outcomes = self.runs.launch(batch, first)
        for outcome in outcomes:
            reason = (outcome.record.reason if outcome.record else outcome.reason) or ""
            if outcome.exit_code and (error := full_disk(reason)) is not None:
                raise error
        return outcomes

    def name_of(self, words: Sequence[str]) -> str:
        """Return the displayed name of a step, from the overrides of its run."""
        work = self._running.get(tuple(words))
        if work is None:
            return "the winner, on all rows"
        step = work.step
        fold = "" if step.fold is None else f", fold {step.fold + 1} of {self.plan.folds}"
        again = f", repeat {step.repeat + 1}" if step.repeat else ""
        return f"{work.candidate.name}{PARTS.get(step.part, '')}{fold}{again}"

    def train(self, words: Sequence[str]) -> Ending:
        """Make one run with these overrides added to those of the command: the final training, on all rows."""
        whole = (*self.shared, *words)
        refused = self._refused(whole)
        return refused or self._timed(Ending(self._launch([whole], len(self.plan.steps))[0]))

    def time_bundle(self, record: RunRecord, bundle: Path) -> float | None:
        """Return the microseconds per answer of the winner's graph; print a message and return None if they cannot be
        measured.
        """
        try:
            return compute_forked(lambda: time_bundle(record, bundle, self.cache))
        except (ConfigError, RuntimeError) as error:
            say(f"the bundle was not timed: {error}")
            return None

    def why_overdue(self, job: Job, seconds: float) -> str | None:
        """Return why a running job is to be stopped now; None while it may continue."""
        words = tuple(job.overrides)
        work = self._running.get(words)
        reason = self.search.why_overdue(work, seconds) if work else None
        if reason is not None:
            self._stopped[words] = reason
        return reason

    def _refused(self, words: Sequence[str]) -> Ending | None:
        problem = self.runs.problem_of(words)
        return None if problem is None else Ending(Outcome(2, reason=problem))
