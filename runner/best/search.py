"""A search within a budget: the steps of its plan, batch by batch, until none is left or the time is up.

A step's result is used only when all steps before it have ended, and the clock is read only between steps: it decides
how many steps are done, never which ones.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from runner.best.agenda import Agenda, Work
from runner.best.clock import Clock
from runner.best.evidence import CUT, Ending, judge_step
from runner.best.journal import Journal
from runner.best.plan.overrides import with_inputs
from runner.best.plan.steps import FEW_REPORTED
from runner.best.types import Done, Plan
from runner.record.metrics import direction

LIMIT, CALIBRATION = "data.max_eval_rows=", "data.calibration="
LATE = 3.0  # a step that takes longer than this multiple of its estimate is stopped when the time is over

Launch = Callable[[Sequence[Work]], Sequence[Ending]]


@dataclass(frozen=True)
class Stop:
    """Why a search began no further step. reason: None if its plan is done."""

    status: str  # done | stopped | interrupted
    reason: str | None = None


class Search:
    """The plan, the journal and the clock of one search."""

    def __init__(
        self, plan: Plan, folder: Path, output: Path, launch: Launch, jobs: int = 1,
        tell: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        """folder: of the search. output: of run folders. launch: runs steps, `jobs` side by side. tell: the time, s."""
        self.plan, self.folder, self.output, self.launch, self.jobs = plan, folder, output, launch, jobs
        self.journal = Journal(folder)
        self.clock = Clock(self.journal.elapsed, tell)
        goal = plan.budget.goal
        self.agenda = Agenda(plan, self.journal, direction(f"val/{goal}") if goal else "higher")
        limit = plan.budget.steps
        self._allowed = {step.number for step in plan.steps[:limit]}

    def work(self) -> Stop:
        """Do the steps that fit in the budget; after an interruption continue from the journal."""
        try:
            return self._work()
        except KeyboardInterrupt:
            return Stop("interrupted", f"interrupted after {self.told_steps}")

    @property
    def done(self) -> int:
        """The steps that have ended; one that the clock did not let begin has not."""
        return sum(done.status != "late" for done in self.journal.ended.values())

    @property
    def told_steps(self) -> str:
        """The progress of the search, in words."""
        return f"step {self.done} of {len(self.plan.steps)}"

    @property
    def has_finished(self) -> bool:
        """Is there a candidate that may win?"""
        return any(one.fits and self.agenda.is_finished(one.name) for one in self.plan.candidates)

    def _work(self) -> Stop:
        while True:
            late = [done.reason for done in self.journal.ended.values() if done.status == "late"]
            if late:
                return Stop("stopped", f"stopped after {self.told_steps}: {late[0]}")
            batch = self.agenda.next(self.jobs)
            inside = [one for one in batch if number_of(one) in self._allowed]
            if not batch:
                return Stop("done")
            if not inside:
                return Stop("stopped", f"stopped after {self.told_steps}: steps={self.plan.budget.steps}")
            self._do(inside)

    def _do(self, batch: Sequence[Work | Done]) -> None:
        """Do one batch, and write how each of its steps ended, in their order."""
        late = {one.step.number: reason for one in batch if isinstance(one, Work) and (reason := self._why_late(one))}
        if late:  # the first late step ends the batch, and if nothing comes before it, the search
            first = next(place for place, one in enumerate(batch) if number_of(one) in late)
            if first == 0:
                number = number_of(batch[0])
                self._enter(Done(number, "late", reason=late[number]))
                return
            batch = batch[:first]
        works = [one for one in batch if isinstance(one, Work)]
        endings = dict(zip([work.step.number for work in works], self.launch(works))) if works else {}
        for one in batch:
            if isinstance(one, Work):
                ending = endings[one.step.number]
                one = judge_step(one.step, one.candidate, ending, self.plan.budget, self.output)
            self._enter(one)

    def _enter(self, done: Done) -> None:
        self.journal.add(replace(done, clock=round(self.clock.elapsed(), 3)))

    def _why_late(self, work: Work) -> str | None:
        """Return why a step is not begun; None while there is time, and always for a first finished candidate.

        A step of the reserve is not begun if its estimate exceeds the time left.
        """
        minutes = self.plan.budget.minutes
        if minutes is None or self._is_of_the_first(work):
            return None
        left = 60 * minutes - self.clock.elapsed()
        if left <= 0:
            return f"the time is up (minutes={minutes:g})"
        step, position = work.step, [step.number for step in self.plan.steps].index(work.step.number)
        if position >= self.plan.planned and step.seconds > left:
            return f"{left:,.0f} s of minutes={minutes:g} are left, the next step takes about {step.seconds:,.0f} s"
        return None

    def _is_of_the_first(self, work: Work) -> bool:
        """Is no candidate finished, and does this step belong to the one that will be first?

        The clock does not stop its steps, so that the search has a result, but does stop others that run beside them.
        """
        if self.has_finished:
            return False
        first = next((one for one in self.agenda.next(1) if isinstance(one, Work)), work)
        return first.candidate.name == work.candidate.name

    def why_overdue(self, work: Work, seconds: float) -> str | None:
        """Return why a step that has run for so many seconds is to be stopped; None while it may continue."""
        minutes = self.plan.budget.minutes
        if minutes is None or seconds <= LATE * work.step.seconds or self.clock.elapsed() <= 60 * minutes:
            return None
        if self._is_of_the_first(work):
            return None
        return f"stopped after {seconds:,.0f} s: past minutes={minutes:g}, estimated at {work.step.seconds:,.0f} s"


def _without_measuring(shared: Sequence[str]) -> list[str]:
    return [*(word for word in shared if not word.startswith("measure")), "measure=off"]


def _reporting_few(shared: Sequence[str]) -> list[str]:
    """Return the override that lets a run report few rows, unless the command limits them itself.

    It would also limit rows set aside to calibrate on, on which the thresholds that score a fold are fitted.
    """
    return [] if any(word.startswith((LIMIT, CALIBRATION)) for word in shared) else [f"{LIMIT}{FEW_REPORTED}"]


def number_of(one: Work | Done) -> int:
    """Return the number of the step that is begun or skipped."""
    return one.step.number if isinstance(one, Work) else one.step


def words_of(shared: Sequence[str], work: Work, plan: Plan) -> list[str]:
    """Return the overrides of a step's run; with folds, only the first run is timed and reports all rows."""
    step, candidate = work.step, work.candidate
    found = [*shared] if step.is_timed else [*_without_measuring(shared), *_reporting_few(shared)]
    found += with_inputs(candidate.overrides, work.teacher, plan.budget.unlabelled, on_fold=step.fold is not None)
    if step.part == "third":
        found.append(f"checkpoint.pause_at={CUT}")
    if step.fold is not None:
        found += [f"data.folds={plan.folds}", f"data.fold={step.fold}", f"data.fold_seed={step.repeat or 0}"]
    return found
