"""The next steps of a search: a function of the plan and the journal alone, not of the clock or the order of endings.

A step is begun or skipped once all steps that its decision depends on have ended, so the decisions are the same for any
number of `jobs`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from runner.best.choice.choose import survivors, unit_of
from runner.best.journal import Journal
from runner.best.types import Candidate, Done, Plan, Step
from runner.statistics.score_table import is_share

ROUNDING = 1e-9  # 0.81 - 0.80 is not 0.01 in binary
LEAD = 0.01  # of a share; of other scores, times the best one: a teacher that is less far ahead has little to teach
BEHIND = 0.03  # likewise: repeated folds do not make up for a candidate that is further behind
GIVEN_UP = 0.10  # of a share: a candidate that is so far behind on its first folds gets no further ones
FIRST_FOLDS, WAITED_FOR_S = 2, 10.0  # folds that decide so, and the seconds of a fold from which on they are waited for
TRAINED = ("done", "refused")  # how a step ends whose run has a score


@dataclass(frozen=True)
class Work:
    """A step to begin."""

    step: Step
    candidate: Candidate
    teacher: str | None = None  # the id of its teacher's run
    small: str | None = None  # the id of the run that answers before its teacher


class Waits(Exception):
    """A decision needs the result of a step that has not ended yet."""


class Agenda:
    """The plan, the journal, and what follows from them."""

    def __init__(self, plan: Plan, journal: Journal, better: str = "higher") -> None:
        """better: higher | lower, whichever scores are better."""
        self.plan, self.journal, self.better = plan, journal, better
        self.sign = -1.0 if better == "lower" else 1.0
        self._steps = [step for step in plan.steps if step.part != "final"]
        self._of: dict[str, list[Step]] = {}
        for step in self._steps:
            self._of.setdefault(step.candidate, []).append(step)

    def next(self, most: int) -> list[Work | Done]:
        """Return the next steps that can be decided now, in order: at most `most` to begin, and those that are
        skipped.
        """
        found: list[Work | Done] = []
        for step in self._steps:
            if step.number in self.journal.ended:
                continue
            try:
                decided = self._decide(step)
            except Waits:
                break
            if isinstance(decided, Work) and sum(isinstance(one, Work) for one in found) == most:
                break
            found.append(decided)
        return found

    def steps_of(self, candidate: str) -> list[Step]:
        """Return the steps of a candidate, except the final training on all rows."""
        return self._of.get(candidate, [])

    def first_steps_of(self, candidate: str) -> list[Step]:
        """Return the steps that give a candidate its score: all but those that only repeat the folds."""
        return [step for step in self.steps_of(candidate) if not step.is_repeat]

    def is_finished(self, candidate: str) -> bool:
        """Are all steps of a candidate done, apart from repeated folds?"""
        ended = [self.journal.ended.get(step.number) for step in self.first_steps_of(candidate)]
        return bool(ended) and all(done is not None and done.status == "done" for done in ended)

    def is_over_cap(self, candidate: str) -> bool:
        """Was a run of a candidate larger or slower than the caps allow?"""
        ended = [self.journal.ended.get(step.number) for step in self.plan.steps if step.candidate == candidate]
        return any(done is not None and done.status == "refused" for done in ended)

    def score(self, candidate: str) -> float | None:
        """Return the selection score of a candidate that is trained, the mean over its folds; None without one.

        Repeated folds do not count: decisions would depend on which of them have ended. A candidate that is over a cap
        has a score too: it may be a teacher, or part of a cascade.
        """
        steps = self.first_steps_of(candidate)
        ended = [self.journal.ended.get(step.number) for step in steps]
        is_whole = bool(ended) and all(done is not None and done.status in TRAINED for done in ended)
        closing = [step for step in steps if step.part != "third"]
        scores = [self.journal.ended[step.number].score for step in closing if step.number in self.journal.ended]
        known = [score for score in scores if score is not None]
        return fmean(known) if is_whole and known else None

    def teacher_of(self, student: Candidate) -> Candidate | None:
        """Return the best finished candidate of the kind of a student's teacher; None without one."""
        if student.teacher is None:
            return None
        able = self.plan.siblings(student.teacher)
        found = [(score, one) for one in able if (score := self.score(one.name)) is not None]
        return max(found, key=lambda one: self.sign * one[0])[1] if found else None

    def lead(self, better: float, other: float) -> float:
        """Return how far the first score is ahead of the second."""
        return self.sign * (better - other)

    def _decide(self, step: Step) -> Work | Done:
        """Begin a step or skip it; raises Waits.

        A candidate that breaks a cap on one fold is trained on the others too: it may be a teacher.
        """
        candidate = self.plan.candidate(step.candidate)
        for before in self.steps_of(step.candidate):
            done = self.journal.ended.get(before.number)
            if before.number < step.number and done is not None and done.status not in TRAINED:
                reason = f"its step {before.number} is {done.status}: {done.reason}"
                return Done(step.number, "skipped", reason=reason)
        if step.part == "rest" and (behind := self._cut(step, candidate)):
            return Done(step.number, "skipped", reason=behind)
        if (step.fold or 0) >= FIRST_FOLDS and not step.is_repeat and (behind := self._given_up(step)):
            return Done(step.number, "skipped", reason=behind)
        if step.is_repeat and (behind := self._far_behind(step)):
            return Done(step.number, "skipped", reason=behind)
        if (trainer := candidate.trained_by) is not None:
            ended = self._all_in([one for one in self.steps_of(trainer) if one.repeat == step.repeat])
            if self.score(trainer) is None or any(done.status not in TRAINED for done in ended):
                return Done(step.number, "skipped", reason=f"the training of {trainer} was not finished")
        if candidate.teacher is None:
            return Work(step, candidate)
        return self._decide_student(step, candidate, candidate.teacher)

    def _cut(self, step: Step, candidate: Candidate) -> str | None:
        """Return why a candidate is dropped at the cut of its kind; None if it continues."""
        names = {one.name for one in self.plan.siblings(candidate.name)}
        before = [one for one in self._steps if one.number < step.number and one.candidate in names]
        thirds = [one for one in before if one.part == "third"]
        ended = self._all_in(thirds)
        scores = {one.candidate: done.score for one, done in zip(thirds, ended) if done.status == "done"}
        known = {name: score for name, score in scores.items() if score is not None}
        kept = survivors(known, self.better)
        if candidate.name in kept:
            return None
        worst = min((self.sign * known[name] for name in kept), default=0.0)
        own = scores.get(candidate.name)
        told = "no score" if own is None else f"{own:.4f}"
        return f"behind after a third of its steps: {told}, while {self.sign * worst:.4f} went on"

    def _far_behind(self, step: Step) -> str | None:
        """Return why the folds are not repeated for a candidate; None if they are."""
        self._all_in([one for one in self._steps if one.number < step.number and not one.is_repeat])
        own, rivals = self.score(step.candidate), self._fitting_before(step.number)
        if own is None or not rivals or self.lead(rivals[0][0], own) <= BEHIND * self._unit(own, rivals[0][0]):
            return None
        return f"its folds are not repeated: {own:.4f}, while {rivals[0][1]} has {rivals[0][0]:.4f}"

    def _given_up(self, step: Step) -> str | None:
        """Return why a candidate is not trained on its further folds; None if it is.

        On its first folds it is compared with the best earlier candidate within the caps. Cheap folds are all trained:
        waiting for the first ones would leave cores idle.
        """
        goal, first = self.plan.budget.goal, self.first_steps_of(step.candidate)[0].number
        if step.seconds < WAITED_FOR_S or not (goal is None or is_share(goal)):
            return None
        self._all_in([one for one in self._steps if one.number < first])
        if not (rivals := self._fitting_before(first)):
            return None
        own, best = (self._on_first_folds(name) for name in (step.candidate, rivals[0][1]))
        if own is None or best is None or self.lead(best, own) <= GIVEN_UP:
            return None
        return f"given up after {FIRST_FOLDS} folds: {own:.4f}, while {rivals[0][1]} has {best:.4f} on them"

    def _on_first_folds(self, candidate: str) -> float | None:
        """Return the mean score of a candidate on the folds by which it is judged; None without a score of each."""
        ended = self._all_in(self.first_steps_of(candidate)[:FIRST_FOLDS])
        scores = [done.score for done in ended if done.score is not None]
        return fmean(scores) if len(scores) == FIRST_FOLDS else None

    def _decide_student(self, step: Step, candidate: Candidate, teacher: str) -> Work | Done:
        """Begin a step with a teacher if the teacher leads the best candidate within the caps by more than LEAD."""
        first = self.steps_of(candidate.name)[0].number
        self._all_in([one for one in self._steps if one.number < first])
        found = self.teacher_of(candidate)
        if found is None:
            return Done(step.number, "skipped", reason=f"its teacher, {teacher}, is not finished")
        teacher, taught = found.name, self.score(found.name)
        rivals = self._fitting_before(first)
        if taught is not None and rivals and (behind := self._little_lead(taught, rivals[0][0])):
            best, name = rivals[0]
            reason = f"its teacher, {teacher} ({taught:.4f}), does not lead {name} ({best:.4f}) by {behind}"
            return Done(step.number, "skipped", reason=reason)
        if taught is not None and not candidate.small and (better := self._better_teacher(taught, first)):
            reason = (
                f"its teacher, {teacher} ({taught:.4f}), is behind {better[1]} ({better[0]:.4f}), which teaches too"
            )
            return Done(step.number, "skipped", reason=reason)
        run = self._run_of_teacher(step, teacher)
        if run is None:
            return Done(step.number, "skipped", reason=f"its teacher, {teacher}, has no run on these rows")
        if not candidate.small:
            return Work(step, candidate, run)
        able = {one.name for one in self.plan.small_of(candidate)}
        small = next((name for _, name in rivals if name in able), None)
        first_run = None if small is None else self._run_of_teacher(step, small)
        if first_run is None:
            return Done(step.number, "skipped", reason="none of its small models is finished")
        return Work(step, candidate, run, first_run)

    def _better_teacher(self, taught: float, first: int) -> tuple[float, str] | None:
        """Return the score and the name of the best other teacher, if it leads a teacher's score by more than LEAD.

        first: the number of the student's first step; only teachers that are trained before it count.
        """
        kinds = [self.plan.siblings(one.teacher) for one in self.plan.candidates if one.teacher and not one.small]
        found = []
        for name in dict.fromkeys(one.name for siblings in kinds for one in siblings):
            steps, score = self.first_steps_of(name), self.score(name)
            if steps and steps[-1].number < first and score is not None:
                found.append((score, name))
        best = max(found, key=lambda one: self.sign * one[0], default=None)
        return best if best is not None and self._little_lead(best[0], taught) is None else None

    def _little_lead(self, taught: float, best: float) -> str | None:
        """Return the lead that a teacher needs over the best candidate within the caps; None if it has it."""
        goal = self.plan.budget.goal
        if self.lead(taught, best) > (LEAD + ROUNDING) * self._unit(taught, best):
            return None
        return "a point" if goal is None or is_share(goal) else f"{LEAD:.0%}"

    def _unit(self, *scores: float) -> float:
        """Return the unit of differences between scores."""
        goal = self.plan.budget.goal
        return 1.0 if goal is None else unit_of(goal, max(scores, key=lambda score: self.sign * score))

    def pairs_of(self, candidate: Candidate) -> int:
        """Return the pairs of models from which the small model and the teacher of a candidate were chosen."""
        small = len(self.plan.small_of(candidate))
        return small * len(self.plan.siblings(candidate.teacher)) if candidate.teacher else small

    def _fitting_before(self, first: int) -> list[tuple[float, str]]:
        """The score and name of each finished candidate within the caps whose steps come before it, best first."""
        found = []
        for candidate in self.plan.candidates:
            steps = self.first_steps_of(candidate.name)
            if candidate.fits and steps and steps[-1].number < first and not self.is_over_cap(candidate.name):
                score = self.score(candidate.name)
                if score is not None:
                    found.append((score, candidate.name))
        return sorted(found, key=lambda one: -self.sign * one[0])

    def _run_of_teacher(self, step: Step, teacher: str) -> str | None:
        """Return the id of the teacher's run on the rows of a step; None if there is none."""
        for other in reversed(self.steps_of(teacher)):
            if (other.fold, other.repeat) == (step.fold, step.repeat):
                return self._all_in([other])[0].run
        return None

    def _all_in(self, steps: Sequence[Step]) -> list[Done]:
        """Return how the steps ended; raise Waits while one has not."""
        found = [self.journal.ended.get(step.number) for step in steps]
        if any(done is None for done in found):
            raise Waits
        return [done for done in found if done is not None]
