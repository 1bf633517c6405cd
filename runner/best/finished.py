"""The finished candidates of a search: their answers to the selection rows, their records, and how the others ended."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from runner.best.agenda import TRAINED
from runner.best.search import Search
from runner.best.types import Candidate, Done, Scored, Step
from runner.errors import ConfigError
from runner.record.folder import read_record
from runner.record.pooling import selection_answers
from runner.record.record import RunRecord
from runner.statistics.scores import Score
from runner.tasks.make import task_of_record


@dataclass(frozen=True)
class Finished:
    """The finished candidates: those that may win, and the others."""

    fitting: tuple[Scored, ...]
    others: tuple[Scored, ...]
    score: Score | None


def finished_candidates(search: Search) -> Finished:
    """Return the candidates whose steps are done, each with its answers to the selection rows."""
    check_same_rows(search)
    fitting, others, score = list[Scored](), list[Scored](), None
    for position, candidate in enumerate(search.plan.candidates):
        final = search.journal.finals.get(candidate.name)
        is_refused = search.agenda.is_over_cap(candidate.name) or (final is not None and final.status == "refused")
        if not (search.agenda.is_finished(candidate.name) or is_whole_but_refused(search, candidate.name)):
            continue
        check_runs_are_there(search, candidate.name)
        if score is None:
            score = score_of(search, candidate.name)
        own = scored(search, candidate, position, score)
        (fitting if candidate.fits and not is_refused else others).append(own)
    return Finished(tuple(fitting), tuple(others), score)


def check_same_rows(search: Search) -> None:
    """Raise ConfigError if runs answered different rows than earlier ones: the data changed during the search."""
    known: dict[tuple[str, int | None, int | None], tuple[str, str]] = {}
    for step in search.plan.steps:
        done = search.journal.ended.get(step.number)
        record = read_record(search.output / done.run) if done is not None and done.run else None
        for metric in (record.data.selection, *[record.data.primary] * step.is_timed) if record else ():
            split = str(metric).partition("/")[0]
            rows = record.data.fingerprints.get(split) if record else None
            if record is None or rows is None:
                continue
            first, run = known.setdefault((split, step.fold, step.repeat), (rows, record.identity))
            if rows != first:
                raise ConfigError(
                    f"the data changed during the search: {split} has other rows in run {record.identity} than in run "
                    f"{run}, so they cannot be compared. Try: remove {search.folder}, and the same command"
                )


def check_runs_are_there(search: Search, candidate: str) -> None:
    """Raise ConfigError if the folder of a run that the journal names is gone."""
    final = search.journal.finals.get(candidate)
    found = [done.run for _, done in closing_steps(search, candidate)]
    found += [final.run] if final is not None and final.status == "done" else []
    gone = next((run for run in found if read_record(search.output / str(run)) is None), None)
    if gone is not None:
        raise ConfigError(
            f"run {gone} of {candidate} is gone from {search.output}. Try: remove {search.folder}, and the same command"
        )


def is_whole_but_refused(search: Search, candidate: str) -> bool:
    """Was a candidate trained on all rows and then refused? Its score shows what the cap costs."""
    steps = search.agenda.steps_of(candidate)
    last = search.journal.ended.get(steps[-1].number) if steps and steps[-1].fold is None else None
    return last is not None and last.status == "refused"


def closing_steps(search: Search, candidate: str) -> list[tuple[Step, Done]]:
    """Return the steps of a candidate whose answers count: those after a cut, or on all folds.

    An incomplete repeat of the folds has none.
    """
    repeats: dict[int, list[tuple[Step, Done | None]]] = {}
    for step in search.agenda.steps_of(candidate):
        if step.part != "third":
            repeats.setdefault(step.repeat or 0, []).append((step, search.journal.ended.get(step.number)))
    return [
        (step, done)
        for steps in repeats.values()
        if all(done is not None and done.status in TRAINED for _, done in steps)
        for step, done in steps
        if done is not None
    ]


def judged_of(search: Search, candidate: str) -> Done:
    """Return the journal's line about the run to deploy: with folds, the one trained on all rows."""
    kept = search.journal.finals.get(candidate)
    return kept or next(done for step, done in closing_steps(search, candidate) if step.is_timed)


def score_of(search: Search, candidate: str) -> Score:
    """Return the score that the candidates are compared by: the one that selected the epochs of this one."""
    record = read_record(search.output / str(closing_steps(search, candidate)[0][1].run))
    assert record is not None, "looked at before"
    return task_of_record(record).score(search.plan.budget.goal or str(record.data.selection).partition("/")[2])


def scored(search: Search, candidate: Candidate, position: int, score: Score) -> Scored:
    """Return a finished candidate with its answers; its bytes are the most of any fold."""
    closing = closing_steps(search, candidate.name)
    repeats: dict[int, list[Path]] = {}
    for step, done in closing:
        repeats.setdefault(step.repeat or 0, []).append(search.output / str(done.run))
    answers = selection_answers(list(repeats.values()))
    times = [done.micros for _, done in closing if done.micros is not None]
    return Scored(
        candidate.name, candidate.kind, max(done.bytes or 0 for _, done in closing), times[0] if times else None,
        position, answers, fmean(score.value(one) for one in answers),
    )  # fmt: skip


def without(found: Finished, name: str) -> Finished:
    """Return the finished candidates with one moved to those that cannot win."""
    moved = [one for one in found.fitting if one.name == name]
    return Finished(tuple(one for one in found.fitting if one.name != name), (*found.others, *moved), found.score)


def records_of(search: Search, found: Finished) -> dict[str, RunRecord]:
    """Return the record of each finished candidate: that of its training on all rows if there is one."""
    records = {}
    for one in (*found.fitting, *found.others):
        final = search.journal.finals.get(one.name)
        run = final.run if final is not None and final.status == "done" else closing_steps(search, one.name)[-1][1].run
        record = read_record(search.output / str(run))
        if record is not None:
            records[one.name] = record
    return records


def records_on_folds(search: Search, found: Finished) -> dict[str, RunRecord]:
    """Return the record of each finished candidate on the first fold of the first repeat; {} without folds.

    These have the same training rows, so that their answers to the reported rows can be compared; on other folds only
    a few rows are reported. The winner is also trained on all rows, which gives it an advantage.
    """
    if not search.plan.folds:
        return {}
    names = [one.name for one in (*found.fitting, *found.others)]
    runs = {name: next(done.run for step, done in closing_steps(search, name) if step.is_timed) for name in names}
    records = {name: read_record(search.output / str(run)) for name, run in runs.items()}
    return {name: record for name, record in records.items() if record is not None}


def ended_candidates(search: Search, found: Finished) -> tuple[tuple[str, str, str], ...]:
    """Return the candidates that cannot win, each with how it ended and why; those not begun are left out.

    Candidates that were trained and then refused are included, though they have a score.
    """
    names = {one.name for one in (*found.fitting, *found.others)}
    rows = []
    for candidate in search.plan.candidates:
        ended = [search.journal.ended.get(step.number) for step in search.agenda.steps_of(candidate.name)]
        wrong = [done for done in ended if done is not None and done.status not in ("done", "late")]
        if wrong and (candidate.name not in names or wrong[0].status == "refused"):
            rows.append((candidate.name, wrong[0].status, wrong[0].reason or ""))
        final = search.journal.finals.get(candidate.name)
        if final is not None and final.status != "done":
            where = "on all rows: " if search.plan.folds else ""
            rows.append((candidate.name, final.status, f"{where}{final.reason}"))
    return tuple(rows)
