"""The end of a search: the choice among what is finished, the last training on all rows, the bundle, best.json."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean, median

from runner.best.bundle import Bundle, write_bundle
from runner.best.choice.choose import NoChoice, choose
from runner.best.choice.history import RESULT, settings_compared
from runner.best.choice.optimism import corrected_score
from runner.best.evidence import Ending, over_caps
from runner.best.search import Search, Stop
from runner.best.types import Budget, Candidate, Choice, Conclusion, Done, Plan, Result, Scored, Step
from runner.errors import ConfigError
from runner.record.folder import read_record
from runner.record.json_files import read_json, write_json
from runner.record.pooling import selection_answers
from runner.record.record import RunRecord
from runner.statistics.scores import Score
from runner.tasks.make import task_of_record

BUNDLE = "bundle"

Train = Callable[[Sequence[str]], Ending]  # makes one run with these overrides added to those of the command
TimeBundle = Callable[[RunRecord, Path], float | None]  # microseconds of an answer by the bundle of a run in a folder


@dataclass(frozen=True)
class Finished:
    """The finished candidates: those that may win, and the others."""

    fitting: tuple[Scored, ...]
    others: tuple[Scored, ...]
    score: Score | None


def conclude(search: Search, stop: Stop, train: Train, time_bundle: TimeBundle) -> Conclusion:
    """Choose among the finished candidates, write the winner's bundle and best.json, and return the conclusion.

    train: makes the run of a last training. time_bundle: times the winner's graph where there is no cap on
    time. Raises ConfigError where no candidate reaches `at_least`.
    """
    plan, journal = search.plan, search.journal
    found, choice, bundle = choose_winner(search, train)
    records = records_of(search, found)
    result = Result(
        plan.key, stop.status, stop.reason, None, None, folder=str(search.folder), planned=len(plan.steps),
        done=len(journal.ended) + bool(journal.finals), compared=len(found.fitting) + len(found.others),
    )  # fmt: skip
    if choice is not None:
        winner = plan.candidate(choice.winner)
        assert found.score is not None and bundle is not None
        corrected = corrected_score(found.fitting, found.score, plan.budget)
        compared = max(result.compared, settings_compared(search.output, records[winner.name]))
        result = replace(result, compared=compared)
        result = with_winner(result, winner, records[winner.name], bundle, corrected)
        judged = judged_of(search, winner.name)
        result = replace(result, micros=judged.micros, engine=judged.engine)
        if judged.engine is None and bundle.engine and bundle.folder and stop.status != "interrupted":
            micros = kept_micros(search.folder, result) or time_bundle(records[winner.name], bundle.folder)
            result = replace(result, micros=micros, engine=bundle.engine) if micros else result
    search.folder.mkdir(parents=True, exist_ok=True)
    write_json(search.folder / RESULT, result.to_json() | {"choice": choice and choice.to_json()})
    return Conclusion(
        plan, result, choice, found.score, found.fitting, found.others, records, ended_candidates(search, found),
        search.clock.elapsed(),
    )  # fmt: skip


def kept_micros(folder: Path, result: Result) -> float | None:
    """Return the time that best.json records for the same graph, so that repeating the command prints the same time."""
    kept = read_json(folder / RESULT) or {}
    return kept.get("micros") if kept.get("engine") and kept.get("sha256") == result.sha256 else None


def choose_winner(search: Search, train: Train) -> tuple[Finished, Choice | None, Bundle | None]:
    """Return the finished candidates, the choice among them, and its bundle.

    A winner whose own files exceed a cap is rejected and the choice is made again.

    Raises ConfigError where no candidate reaches `at_least`.
    """
    plan, place = search.plan, search.folder / BUNDLE
    found = finished_candidates(search)
    while found.fitting and found.score is not None:
        chosen = choose(found.fitting, found.score, plan.budget)
        if isinstance(chosen, NoChoice):
            raise ConfigError(chosen.message)
        candidate = plan.candidate(chosen.winner)
        if not plan.folds or train_on_all_rows(search, candidate, train):
            record = records_of(search, found)[candidate.name]
            engine, folds = judged_of(search, candidate.name).engine, fold_runs(search, candidate)
            bundle = write_bundle(record, search.output, place, plan.budget.max_bytes, folds, engine)
            over = over_by(bundle, plan.budget)
            if over is None:
                return found, chosen, bundle
            refuse(search, candidate, record.identity, over)
            shutil.rmtree(place)
        found = without(found, chosen.winner)
    return found, None, None


def fold_runs(search: Search, candidate: Candidate) -> list[Path]:
    """Return the run folders of a candidate on all folds, of the first repeat; [] where rows were held out once."""
    if not search.plan.folds:
        return []
    steps = closing_steps(search, candidate.name)
    return [search.output / str(done.run) for step, done in steps if not step.repeat and step.fold is not None]


def over_by(bundle: Bundle, budget: Budget) -> str | None:
    """Return by how much a bundle is over the cap on bytes; None if it is not, or if there is no bundle.

    A graph supports fewer number formats than a run's own files, so it may be larger than they are.
    """
    if budget.max_bytes is None or bundle.size is None or bundle.size <= budget.max_bytes:
        return None
    return f"its bundle has {bundle.size:,} bytes, {bundle.size - budget.max_bytes:,.0f} over max_kb={budget.max_kb:g}"


def refuse(search: Search, candidate: Candidate, run: str, reason: str) -> None:
    """Write into the journal that a finished candidate breaks a cap, so that a replay finds it refused."""
    clock = round(search.clock.elapsed(), 3)
    if search.plan.folds:
        final = Done(last_step(search.plan), "refused", run, reason, candidate=candidate.name)
        search.journal.add(replace(final, clock=clock))
        return
    _, done = closing_steps(search, candidate.name)[-1]
    search.journal.add(replace(done, status="refused", reason=reason, clock=clock))


def with_winner(
    result: Result, winner: Candidate, record: RunRecord, bundle: Bundle, corrected: float | None
) -> Result:
    """Return the result with its winner."""
    return replace(
        result, winner=winner.name, run=record.identity, overrides=tuple(record.overrides), metrics=record.metrics,
        bundle=None if bundle.folder is None else str(bundle.folder), sha256=bundle.sha256, problem=bundle.problem,
        bundle_bytes=bundle.size, agreement=bundle.agreement, corrected=corrected,
    )  # fmt: skip


def finished_candidates(search: Search) -> Finished:
    """Return the candidates whose steps are done, each with its answers to the selection rows."""
    fitting, others, score = list[Scored](), list[Scored](), None
    for position, candidate in enumerate(search.plan.candidates):
        is_refused = search.agenda.is_over_cap(candidate.name)
        if not (search.agenda.is_finished(candidate.name) or is_whole_but_refused(search, candidate.name)):
            continue
        if score is None:
            score = score_of(search, candidate.name)
        own = scored(search, candidate, position, score)
        (fitting if candidate.fits and not is_refused else others).append(own)
    return Finished(tuple(fitting), tuple(others), score)


def is_whole_but_refused(search: Search, candidate: str) -> bool:
    """Was a candidate trained on all rows and then refused? Its score shows what the cap costs."""
    steps = search.agenda.steps_of(candidate)
    last = search.journal.ended.get(steps[-1].number) if steps and steps[-1].fold is None else None
    return last is not None and last.status == "refused"


def closing_steps(search: Search, candidate: str) -> list[tuple[Step, Done]]:
    """Return the steps of a candidate that give it answers: those after a cut, or on all folds."""
    steps = [step for step in search.agenda.steps_of(candidate) if step.part != "third"]
    return [(step, search.journal.ended[step.number]) for step in steps]


def judged_of(search: Search, candidate: str) -> Done:
    """Return the journal's line on the run to deploy: with folds the one trained on all rows."""
    kept = search.journal.finals.get(candidate)
    return kept or next(done for step, done in closing_steps(search, candidate) if step.is_timed)


def score_of(search: Search, candidate: str) -> Score:
    """Return the score that the candidates are compared by: the one that selected the epochs of this one."""
    record = read_record(search.output / str(closing_steps(search, candidate)[0][1].run))
    if record is None:
        raise ConfigError(
            f"a run of {candidate} is gone from {search.output}. Try: remove {search.folder}, and the same command"
        )
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


def train_on_all_rows(search: Search, candidate: Candidate, train: Train) -> bool:
    """Train a candidate (its teacher first) on all rows; return whether it fits the caps."""
    kept = search.journal.finals.get(candidate.name)
    if kept is None:
        teacher = search.agenda.teacher_of(candidate)
        if teacher is not None:
            train_on_all_rows(search, teacher, train)
            if search.journal.finals[teacher.name].run is None:
                return False
        ending = train(words_on_all_rows(search, candidate))
        outcome, record = ending.outcome, ending.outcome.record
        if record is None or record.status != "done":
            if outcome.exit_code == INTERRUPTED:
                raise KeyboardInterrupt
            reason = record.reason if record else outcome.reason
            run = record.identity if record else None
            kept = Done(last_step(search.plan), "failed", run, reason, candidate=candidate.name)
        else:
            over = over_caps(record, ending.micros, search.plan.budget) if candidate.fits else None
            kept = Done(
                last_step(search.plan), "refused" if over else "done", record.identity, over, micros=ending.micros,
                candidate=candidate.name, engine=ending.engine,
            )  # fmt: skip
        search.journal.add(replace(kept, clock=round(search.clock.elapsed(), 3)))
    return kept.status == "done"


INTERRUPTED = 130


def last_step(plan: Plan) -> int:
    """Return the number of the last training in the plan."""
    return next((step.number for step in plan.steps if step.part == "final"), len(plan.steps) + 1)


def words_on_all_rows(search: Search, candidate: Candidate) -> list[str]:
    """Return the overrides of the last training: as on the folds, for the median of the epochs that were best there."""
    plan, journal = search.plan, search.journal
    teacher = search.agenda.teacher_of(candidate)
    run = journal.finals[teacher.name].run if teacher else None
    found = [word.replace("{teacher}", run or "") for word in candidate.overrides]
    found += [f"data.folds={plan.folds}", "data.fold=all"]
    epochs = [journal.ended[step.number].epochs for step in search.agenda.steps_of(candidate.name)]
    known = [count for count in epochs if count is not None]
    if candidate.has_cut and known:
        found.append(f"train.epochs={max(1, math.floor(median(known) + 0.5))}")
    return found


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
            rows.append((candidate.name, final.status, f"on all rows: {final.reason}"))
    return tuple(rows)
