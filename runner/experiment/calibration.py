"""The calibration of a run: fitted to the logits of the split that selects, scored on each, kept with the model."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from data.settings import ALL_FOLDS
from data.splits import TokenSplit
from models.checkpoints.read import WEIGHTS
from models.packed.format import NAME as PACKED
from runner.deploy.calibrations import file_size, fit_calibration, write_calibration
from runner.experiment.prepared import PreparedRun
from runner.record.calibration import OFF, VECTOR, CalibrationFacts
from runner.record.predictions import calibrated_logits
from runner.record.record import RunRecord
from runner.statistics.probabilities import probability_scores, softmax, uncalibrated_scores


def calibrate(prepared: PreparedRun, kept: np.ndarray) -> CalibrationFacts | None:
    """Return how the run's logits become probabilities; None for a model that is not asked for answers.

    kept: (rows, C) of the split that selects.
    """
    task, select, method = prepared.task, prepared.splits.select, prepared.settings.calibration
    if not task.is_deployed:
        return None
    if not task.has_probabilities:
        of_sets = "each label is decided by itself" if task.has_label_sets else ""
        return CalibrationFacts(reason=of_sets or f"{task.name} has no classes of whole texts")
    if method == OFF:
        return CalibrationFacts(reason=f"calibration={OFF}")
    if reason := why_not_these_rows(prepared):
        return CalibrationFacts(split=select.name, rows=len(select), reason=reason)
    labels = np.asarray(select.labels.values)
    return fit_calibration(kept, labels, task.facts.names, method=method, split=select.name)


def why_not_these_rows(prepared: PreparedRun) -> str:
    """Return why the rows that select must not calibrate; "" where they may."""
    select, splits = prepared.splits.select.name, prepared.splits
    if prepared.settings.data.fold == ALL_FOLDS:
        return f"the rows of {select} train too"
    own = splits.fingerprints.get(select)
    shared = [name for name, found in splits.fingerprints.items() if name != select and found == own]
    return f"the rows of {select} are those of {shared[0]}" if shared else ""


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
