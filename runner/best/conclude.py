"""The end of a search: the choice among finished candidates, the final training on all rows, the bundle, best.json."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median

from runner.best.bundle import Bundle, write_bundle
from runner.best.choice.choose import NoChoice, choose
from runner.best.choice.history import settings_compared
from runner.best.choice.optimism import corrected_score
from runner.best.evidence import Ending, over_caps
from runner.best.finished import (
    Finished,
    closing_steps,
    ended_candidates,
    finished_candidates,
    judged_of,
    records_of,
    records_on_folds,
    without,
)
from runner.best.held_out import threshold_words
from runner.best.plan.overrides import with_inputs
from runner.best.search import Search, Stop
from runner.best.types import Budget, Candidate, Choice, Conclusion, Done, Plan, Result
from runner.errors import ConfigError
from runner.record.folder import read_record
from runner.record.json_files import read_json, write_json
from runner.record.record import RunRecord
from runner.record.sweep_record import RESULT

BUNDLE = "bundle"

Train = Callable[[Sequence[str]], Ending]  # makes one run with these overrides added to those of the command
TimeBundle = Callable[[RunRecord, Path], float | None]  # microseconds of an answer by the bundle of a run in a folder


def conclude(search: Search, stop: Stop, train: Train, time_bundle: TimeBundle) -> Conclusion:
    """Choose among the finished candidates, write the winner's bundle and best.json, and return the conclusion.

    train: makes the run of a final training. time_bundle: times the winner's graph where there is no cap on
    time. Raises ConfigError if no candidate reaches `at_least`, unless the search was interrupted before.
    """
    plan, journal = search.plan, search.journal
    found, choice, bundle = choose_winner(search, train, is_interrupted=stop.status == "interrupted")
    records = records_of(search, found)
    result = Result(
        plan.key, stop.status, stop.reason, None, None, folder=str(search.folder), planned=len(plan.steps),
        done=search.done + bool(plan.folds and journal.finals), compared=len(found.fitting) + len(found.others),
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
        search.clock.elapsed(), records_on_folds(search, found),
    )  # fmt: skip


def kept_micros(folder: Path, result: Result) -> float | None:
    """Return the time that best.json records for the same graph, so that repeating the command prints the same time."""
    kept = read_json(folder / RESULT) or {}
    return kept.get("micros") if kept.get("engine") and kept.get("sha256") == result.sha256 else None


def choose_winner(
    search: Search, train: Train, *, is_interrupted: bool
) -> tuple[Finished, Choice | None, Bundle | None]:
    """Return the finished candidates, the choice among them, and its bundle.

    A winner whose own files exceed a cap is rejected and the choice is made again.

    Raises ConfigError if no candidate reaches `at_least`; of an interrupted search there is no choice then.
    """
    plan, place = search.plan, search.folder / BUNDLE
    found = finished_candidates(search)
    while found.fitting and found.score is not None:
        chosen = choose(found.fitting, found.score, plan.budget)
        if isinstance(chosen, NoChoice):
            if is_interrupted:
                break
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
    """Return the run folders of a candidate on all folds, of the first repeat; [] if rows were held out once."""
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
    """Record in the journal that the bundle of a finished candidate exceeds a cap, so that a replay finds it refused.

    The outcomes of its steps are not changed: an interrupted search continues with the same decisions.
    """
    clock = round(search.clock.elapsed(), 3)
    search.journal.add(Done(last_step(search.plan), "refused", run, reason, clock=clock, candidate=candidate.name))


def with_winner(
    result: Result, winner: Candidate, record: RunRecord, bundle: Bundle, corrected: float | None
) -> Result:
    """Return the result with its winner."""
    return replace(
        result, winner=winner.name, run=record.identity, overrides=tuple(record.overrides), metrics=record.metrics,
        bundle=None if bundle.folder is None else str(bundle.folder), sha256=bundle.sha256, problem=bundle.problem,
        bundle_bytes=bundle.size, agreement=bundle.agreement, corrected=corrected,
    )  # fmt: skip


def train_on_all_rows(search: Search, candidate: Candidate, train: Train, *, is_teacher: bool = False) -> bool:
    """Train a candidate (its teacher first) on all rows; return whether it fits the caps."""
    kept = search.journal.finals.get(candidate.name)
    if kept is None:
        teacher = search.agenda.teacher_of(candidate)
        if teacher is not None:
            train_on_all_rows(search, teacher, train, is_teacher=True)
            if search.journal.finals[teacher.name].run is None:
                return False
        words = words_on_all_rows(search, candidate)
        ways = [] if is_teacher else threshold_words(fold_runs(search, candidate))
        ending = next((one for way in ways if is_done(one := train([*words, way]))), None) or train(words)
        outcome, record = ending.outcome, ending.outcome.record
        if not is_done(ending) or record is None:
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


def is_done(ending: Ending) -> bool:
    """Is a run finished, and neither refused nor failed? Raises KeyboardInterrupt for one that was interrupted."""
    if ending.outcome.record is not None and ending.outcome.record.status == "done":
        return True
    if ending.outcome.exit_code == INTERRUPTED:
        raise KeyboardInterrupt
    return False


def last_step(plan: Plan) -> int:
    """Return the number of the final training in the plan."""
    return next((step.number for step in plan.steps if step.part == "final"), len(plan.steps) + 1)


def words_on_all_rows(search: Search, candidate: Candidate) -> list[str]:
    """Return the overrides of the final training: as on the folds, for the median of the best epochs there."""
    plan, teacher = search.plan, search.agenda.teacher_of(candidate)
    run = search.journal.finals[teacher.name].run if teacher else None
    found = with_inputs(candidate.overrides, run, plan.budget.unlabelled)
    found += [f"data.folds={plan.folds}", "data.fold=all"]
    closing = [done for _, done in closing_steps(search, candidate.name)]
    known = [done.epochs for done in closing if done.epochs is not None]
    if candidate.has_cut and known:
        found.append(f"train.epochs={max(1, math.floor(median(known) + 0.5))}")
        record = read_record(search.output / str(closing[0].run))
        if record and record.setting("train.steps") is not None:  # of the command, which would set the length instead
            found.append("train.steps=null")
    return found
