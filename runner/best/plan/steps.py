"""Orders the steps of a search, and counts how many of them fit in the time.

The first kind of the portfolio comes first; the others follow by the cost of their cheapest candidate, and last those
that cannot win or teach, because they are over a cap. Students wait for further teachers if there is time, so that only
the best one teaches. Within a kind that is trained in epochs, all candidates are trained to the cut first; then those
that are still in it go on. Candidates that only compress one of these trainings follow at once. Folds are repeated
only when all candidates have been trained on them once: a further candidate is worth more than a more precise score.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from runner.best.types import Budget, Candidate, Facts, Step

SHARE = 0.7  # of the minutes that is planned; the rest is for the reserve
CUT = 1 / 3  # of the steps of a training, at which the better half of a kind goes on
FEWEST = 2  # candidates of a kind that go on
DEAR_S = 60.0  # rows of a fold from which on one repeat is enough
FEW_ROWS, FEWER_ROWS = 2000, 1000  # labelled rows below which folds select, and below which they are repeated
FOLDS, REPEATS = 5, 3
FEW_REPORTED = 100  # rows that a run reports on the folds after the first: nothing reads these scores
UNLIMITED = Budget()


def repeats_for(facts: Facts) -> int:
    """Return how often the rows are dealt into folds."""
    return REPEATS if facts.rows < FEWER_ROWS else 1


def rows_reported(facts: Facts, folds: int) -> float:
    """Return how many rows a run reports, on average over the folds if there are any."""
    if not folds:
        return facts.report_rows
    return (facts.report_rows + (folds - 1) * min(FEW_REPORTED, facts.report_rows)) / folds


def order_steps(
    candidates: Sequence[Candidate], folds: int, repeats: int, budget: Budget = UNLIMITED
) -> tuple[Step, ...]:
    """Return the steps of all candidates in order; `budget` decides how many teachers come before their students."""
    repeated = repeats_of(candidates, folds, repeats) if folds else {}

    def steps_of(kinds: Sequence[Sequence[Candidate]], rounds: int) -> list[Step]:
        parts = (
            step
            for repeat in range(rounds)
            for members in kinds
            for step in kind_steps([one for one in members if repeat < repeated.get(one.name, 1)], folds, repeat)
        )
        return [Step(number, *rest) for number, rest in enumerate(parts, start=1)]

    def is_planned(kinds: Sequence[Sequence[Candidate]]) -> bool:
        found = steps_of(kinds, 1)
        return count_planned(found, candidates, budget) == len(found)

    kinds = with_students_later(ordered_kinds(candidates), is_planned)
    steps = steps_of(kinds, max(repeated.values(), default=1))
    if folds and steps:
        longest = max(candidate.seconds for candidate in candidates)
        steps.append(Step(len(steps) + 1, "", "final", None, None, longest))
    return tuple(steps)


def repeats_of(candidates: Sequence[Candidate], folds: int, repeats: int) -> dict[str, int]:
    """Return how often each candidate is trained on all folds, by its name; no more often than the runs it builds on.

    A student needs its teacher's run on the same rows, and what compresses a training needs that training.
    """
    by_name = {one.name: one for one in candidates}
    found, of_kind = dict[str, int](), dict[str, list[str]]()
    for one in candidates:
        of_kind.setdefault(one.kind, []).append(one.name)

    def count(name: str) -> int:
        if name not in found:
            one = by_name[name]
            kinds = [*one.small, *([by_name[one.teacher].kind] if one.teacher else [])]
            before = [name for kind in kinds for name in of_kind.get(kind, [])]
            before += [one.trained_by] if one.trained_by else []
            own = 1 if fold_seconds(one, folds) > DEAR_S else repeats
            found[name] = min([own, *map(count, before)])
        return found[name]

    return {name: count(name) for name in by_name}


def fold_seconds(candidate: Candidate, folds: int) -> float:
    """Return the estimated seconds of a run on one fold."""
    return candidate.seconds * (folds - 1) / folds


def ordered_kinds(candidates: Sequence[Candidate]) -> list[list[Candidate]]:
    """Return the candidates by kind: that of the first candidate, then the cheapest ones; students after their teacher.

    The first kind of the portfolio is n-grams, so that the search has a useful model early, whatever the clock does.
    Kinds that only show what a cap costs come last: they may neither win nor teach.
    """
    kinds: dict[str, list[Candidate]] = {}
    kind_of = {candidate.name: candidate.kind for candidate in candidates}
    for candidate in candidates:
        kinds.setdefault(kind_of[candidate.trained_by or candidate.name], []).append(candidate)
    own = {name: min(one.seconds for one in members if not one.trained_by) for name, members in kinds.items()}

    def cost(name: str) -> float:
        teachers = {kind_of[one.teacher] for one in kinds[name] if one.teacher}
        return max([own[name], *(own[teacher] for teacher in teachers)])

    taught_by = {kind_of[one.teacher] for one in candidates if one.teacher}
    is_ceiling = {name: name not in taught_by and not any(one.fits for one in kinds[name]) for name in kinds}
    has_teacher = {name: any(one.teacher for one in members) for name, members in kinds.items()}
    first = candidates[0].kind if candidates else ""
    order = {name: (name != first, is_ceiling[name], cost(name), has_teacher[name]) for name in kinds}
    return [kinds[name] for name in sorted(kinds, key=order.__getitem__)]


Kinds = list[list[Candidate]]


def with_students_later(kinds: Kinds, is_planned: Callable[[Kinds], bool]) -> Kinds:
    """Return the kinds with students behind further teachers, as long as a first kind of students is still planned.

    is_planned: can all steps of these kinds be done in the planned time?
    """
    students = [members for members in kinds if any(one.teacher and not one.small for one in members)]
    taught_by = {one.teacher for members in students for one in members}
    teachers = [members for members in kinds if taught_by.intersection(one.name for one in members)]
    for teacher in teachers:
        place = kinds.index(teacher)
        waiting = [members for members in kinds[:place] if members in students]
        before = [members for members in kinds[: place + 1] if members not in waiting]
        if waiting and teacher not in students and is_planned([*before, waiting[0]]):
            kinds = [*before, *waiting, *kinds[place + 1 :]]
    return kinds


Parts = tuple[str, str, int | None, int | None, float]  # of a step: candidate, part, fold, repeat, seconds


def kind_steps(kind: Sequence[Candidate], folds: int, repeat: int) -> Iterator[Parts]:
    """Yield the steps of one kind, then those of the candidates that compress its trainings.

    repeat: how often the rows were dealt into folds before, if there are folds.
    """
    own, compressed = ([one for one in kind if bool(one.trained_by) == is_last] for is_last in (False, True))
    if folds:
        for candidate in [*own, *compressed]:
            for fold in range(folds):
                yield candidate.name, "fold", fold, repeat, round(fold_seconds(candidate, folds), 1)
        return
    cut = [candidate for candidate in own if candidate.has_cut]
    for candidate in own:
        if not candidate.has_cut:
            yield candidate.name, "all", None, None, candidate.seconds
    for candidate in cut:
        yield candidate.name, "third", None, None, round(CUT * candidate.seconds, 1)
    for candidate in cut:
        yield candidate.name, "rest", None, None, round((1 - CUT) * candidate.seconds, 1)
    for candidate in compressed:
        yield candidate.name, "all", None, None, candidate.seconds


def survivors_of(count: int) -> int:
    """Return how many candidates of a kind go on after the cut."""
    return min(count, max(FEWEST, math.ceil(count / 2)))


def count_planned(steps: Sequence[Step], candidates: Sequence[Candidate], budget: Budget) -> int:
    """Return how many of the first steps fit in the budget; at least one if there is any.

    Of a kind's trainings after the cut only those that go on count.
    """
    if budget.steps is not None:
        return min(budget.steps, len(steps))
    if budget.minutes is None:
        return len(steps)
    kind_of = {candidate.name: candidate.kind for candidate in candidates}
    left, planned = SHARE * 60 * budget.minutes * (budget.jobs or 1), 0
    sizes = Counter(kind_of[step.candidate] for step in steps if step.part == "rest")
    rests = Counter[str]()
    for step in steps:
        if step.part == "rest":
            kind = kind_of[step.candidate]
            rests[kind] += 1
            left -= step.seconds if rests[kind] <= survivors_of(sizes[kind]) else 0.0
        else:
            left -= step.seconds
        if left < 0 and planned:
            break
        planned += 1
    return planned
