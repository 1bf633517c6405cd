"""Judges a step whose run has ended, and writes its line of the journal."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from runner.best.types import AnswerTime, Budget, Candidate, Done, Step
from runner.cascade.make import TYPICAL
from runner.deploy.exported import CASCADE
from runner.experiment.outcome import Outcome
from runner.record.learning_curve import points
from runner.record.record import RunRecord

CUT = 0.333  # share of the steps of a training before the cut of its kind
SLOWED = 2.0  # a model slower than its random twin by this factor was probably slowed by other work
BYTES, MICROS = "cost/bytes_deployed", "speed/answer_us_p50"


@dataclass(frozen=True)
class Ending:
    """How a run ended. stopped: why the search stopped it, if it did."""

    outcome: Outcome
    stopped: str | None = None
    answer: AnswerTime | None = None  # measured on its bundle; None: the record's time counts

    @property
    def micros(self) -> float | None:
        """The time of an answer that a cap is compared with; None if it was not measured."""
        if self.answer is not None:
            return self.answer.micros
        return micros_of(self.outcome.record) if self.outcome.record else None

    @property
    def engine(self) -> str | None:
        """The engine of the bundle whose time it is."""
        return self.answer.engine if self.answer else None


def judge_step(step: Step, candidate: Candidate, ending: Ending, budget: Budget, output: Path) -> Done:
    """Return the line about a step whose run has ended; output: the folder of run folders.

    The caps are judged once, on what was measured: a time in the journal is never measured again. At the cut they are
    not judged, and the score is that at the cut: a run that another search has taken further is compared as one that
    has just paused.
    """
    record = ending.outcome.record
    if ending.stopped is not None:
        return Done(step.number, "unfinished", record.identity if record else None, ending.stopped)
    if record is None:
        return Done(step.number, "failed", reason=ending.outcome.reason or "its process ended without a record")
    if ending.outcome.is_paused or (step.part == "third" and record.status == "done"):
        score = score_at_cut(record, output)
        return Done(step.number, "done", record.identity, record.reason, score, seconds=seconds_of(record))
    if record.status != "done":
        return Done(step.number, "failed", record.identity, record.reason)
    metrics = record.metrics
    reason = over_caps(record, ending.micros, budget, is_timed=step.is_timed) if candidate.fits else None
    reason = reason and reason + slowed(ending.micros, candidate, budget)
    size = metrics.get(BYTES)
    return Done(
        step.number, "refused" if reason else "done", record.identity, reason, metrics.get(str(record.data.selection)),
        None if size is None else int(size), ending.micros, seconds_of(record), epochs=metrics.get("train/best_epoch"),
        engine=ending.engine,
    )  # fmt: skip


def score_at_cut(record: RunRecord, output: Path) -> float | None:
    """Return the selection score of a run at the first end of an epoch at or after the cut.

    Of a run without logged points it is the final score; None without either.
    """
    metric = str(record.data.selection)
    found = points(output / record.identity, metric)
    if not found:
        return record.metrics.get(metric)
    epochs = math.ceil(record.setting("train.epochs", len(found)))
    ends = sorted(found)[:epochs]  # later points are those of compression
    total = record.setting("train.steps", ends[-1] * epochs / len(ends))  # planned: the run may have ended before
    return found[next((step for step in ends if step >= CUT * total), ends[-1])]


def over_caps(record: RunRecord, micros: float | None, budget: Budget, *, is_timed: bool = True) -> str | None:
    """Return by how much a finished run is over the caps; None if it is inside them.

    micros: of an answer. is_timed: is its time judged?
    """
    size = record.metrics.get(BYTES)
    found = []
    if budget.max_bytes is not None and size is None:
        found.append("its bytes were not counted")
    elif budget.max_bytes is not None and size is not None and size > budget.max_bytes:
        found.append(f"{size:,.0f} bytes, {size - budget.max_bytes:,.0f} over max_kb={budget.max_kb:g}")
    if budget.max_us is None or not is_timed:
        return " and ".join(found) or None
    if micros is None:
        found.append("its time to answer was not measured")
    elif micros > budget.max_us:
        found.append(f"{micros:,.1f} us per answer, {micros - budget.max_us:,.1f} over max_us={budget.max_us:g}")
    return " and ".join(found) or None


def slowed(micros: float | None, candidate: Candidate, budget: Budget) -> str:
    """Return a remark for a refusal by time if the random twin was much faster; else ""."""
    expected = candidate.micros
    if budget.max_us is None or micros is None or expected is None or micros <= max(budget.max_us, SLOWED * expected):
        return ""
    return f" (about {expected:,.0f} us were expected: other work on the machine may have slowed it)"


def micros_of(record: RunRecord) -> float | None:
    """Return the recorded time per answer: the median, or for a cascade the mean of both models' medians.

    In a cascade the median text is answered by the small model alone, so one median would hide the large model's time.
    """
    return record.metrics.get(TYPICAL if record.config.get(CASCADE) else MICROS)


def seconds_of(record: RunRecord) -> float | None:
    """Return the seconds that a run has taken."""
    return record.metrics.get("time/total_s")
