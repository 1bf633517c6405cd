"""The calibration of a run: fitted to the logits of the calibration rows, scored on each split, kept with the model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from data.calibration import FOLDS
from data.errors import DataError
from data.settings import ALL_FOLDS
from data.splits import Splits, TokenSplit
from models.checkpoints.read import WEIGHTS
from models.packed.format import NAME as PACKED
from runner.deploy.calibrations import file_size, fit_calibration, write_calibration
from runner.experiment.prepared import PreparedRun
from runner.record.calibration import OFF, VECTOR, CalibrationFacts
from runner.record.predictions import calibrated_logits
from runner.record.record import RunRecord
from runner.schema import Settings
from runner.statistics.probabilities import probability_scores, softmax, uncalibrated_scores
from runner.statistics.rejection import DELTA, FOLDS_MARGIN, STARTS, least_rows
from runner.statistics.temperature import FEWEST_ROWS
from runner.tasks.base import Task


def calibrate(prepared: PreparedRun, kept: np.ndarray) -> CalibrationFacts | None:
    """Return how the run's logits become probabilities; None for a model that gives no answers.

    kept: (rows, C) of the split that calibrates.
    """
    task, rows, method = prepared.task, prepared.splits.calibration, prepared.settings.calibration
    if not task.is_deployed:
        return None
    if not task.has_probabilities:
        of_sets = "each label is decided by itself" if task.has_label_sets else ""
        return CalibrationFacts(reason=of_sets or f"{task.name} has no classes of whole texts")
    if method == OFF:
        return CalibrationFacts(reason=f"calibration={OFF}")
    if reason := why_not_calibrated(prepared):
        return CalibrationFacts(split=rows.name, rows=len(rows), reason=reason)
    labels = np.asarray(rows.labels.values)
    facts = fit_calibration(kept, labels, task.facts.names, method=method, split=rows.name)
    return replace(facts, folds=list(prepared.held_out.runs)) if prepared.held_out else facts


def why_not_calibrated(prepared: PreparedRun) -> str:
    """Return why the calibration rows of a run must not calibrate; "" if they may, as rows set aside always may."""
    return why_not_these_rows(prepared) if prepared.splits.apart is None else ""


def why_not_these_rows(prepared: PreparedRun) -> str:
    """Return why the selection rows must not calibrate; "" if they may."""
    select, splits = prepared.splits.select.name, prepared.splits
    if prepared.settings.data.fold == ALL_FOLDS:
        return f"the rows of {select} are also trained on"
    own = splits.fingerprints.get(select)
    shared = [name for name, found in splits.fingerprints.items() if name != select and found == own]
    return f"the rows of {select} are also those of {shared[0]}" if shared else ""


def check_calibration_rows(settings: Settings, splits: Splits, task: Task) -> None:
    """Raise DataError for rows set aside (data.calibration) that nothing would use, or that are too few."""
    rows, named = splits.apart, f"data.calibration={settings.data.calibration}"
    if settings.data.calibration is None:
        return
    if settings.data.calibration == FOLDS:
        rows = splits.train  # all rows: the runs of the folds together hold out each of them
    if rows is None or not (task.has_probabilities or task.has_label_sets):
        raise DataError(f"{named}: nothing is calibrated for task={task.name}. Leave it out")
    if len(rows) < FEWEST_ROWS:
        level = DELTA / len(STARTS) / (FOLDS_MARGIN if rows is splits.train else 1)
        needed = ", ".join(f"{least_rows(alpha, level):,} for reject={alpha:g}" for alpha in (0.05, 0.02, 0.01))
        what = f"calibrates on {len(rows):,} rows" if rows is splits.train else f"sets {len(rows):,} rows aside"
        raise DataError(
            f"{named}: {what}. A temperature needs {FEWEST_ROWS}, a promise {needed} without a "
            "single mistake. Try: a larger share, or more rows"
        )


def answering_logits(facts: CalibrationFacts | None, kept: np.ndarray) -> np.ndarray:
    """Return the logits (rows, C) whose largest one is the answer; a temperature changes no answer."""
    return calibrated_logits(facts, kept) if facts is not None and facts.method == VECTOR else kept


def probability_metrics(
    prepared: PreparedRun, facts: CalibrationFacts | None, split: TokenSplit, kept: np.ndarray
) -> dict[str, float]:
    """Return the scores of the probabilities of a split by their names in the record; {} for a task without any."""
    if facts is None or not prepared.task.has_probabilities:
        return {}
    labels, positive = np.asarray(split.labels.values), prepared.task.facts.positive
    found = probability_scores(softmax(calibrated_logits(facts, kept)), labels, positive)
    found |= uncalibrated_scores(softmax(kept), labels)
    return {f"{split.name}/{name}": value for name, value in found.items()}


def keep_calibration(prepared: PreparedRun, record: RunRecord, folder: Path) -> CalibrationFacts | None:
    """Write calibration.json into the model folder of a task with probabilities; the facts with the files' hashes."""
    facts, task = record.calibration, prepared.task
    if facts is None or not (task.has_probabilities or task.has_label_sets) or prepared.settings.calibration == OFF:
        return facts
    reported = prepared.splits.report[0].name
    scores = {name.removeprefix(f"{reported}/"): value for name, value in record.metrics.items()}
    size = file_size(prepared.settings.calibration, len(task.facts.names))
    weights = [path for name in (PACKED, WEIGHTS) if (path := folder / name).is_file()]
    return write_calibration(weights, facts, scores, size)
