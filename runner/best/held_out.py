"""Calibrates a model trained on all rows, and fits its thresholds, on the answers of the models of the folds.

The model's own answers cannot be used, because it was trained on those rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from data.calibration import FOLDS as BY_FOLDS
from data.settings import ONE
from runner.deploy.calibrations import fit_calibration
from runner.errors import ConfigError
from runner.record.calibration import TEMPERATURE, CalibrationFacts
from runner.record.folder import read_record
from runner.record.pooling import held_out_logits
from runner.record.predictions import calibrated_logits
from runner.statistics.ece import ece, ece_floor
from runner.statistics.probabilities import sigmoid, softmax
from runner.statistics.thresholds import one_threshold

FOLDS = "the folds"  # stands for the name of a split


@dataclass(frozen=True)
class HeldOutCalibration:
    """A calibration, its calibration error on its own rows, and the error to expect by chance alone."""

    facts: CalibrationFacts
    scores: dict[str, float]


def calibrate_on_folds(folders: Sequence[Path]) -> HeldOutCalibration | None:
    """Return the calibration fitted on the runs on all folds, one per fold; None if they have no probabilities.

    Each row is in one fold, so that rows count once. A repeat of the folds adds no rows and is left out by the caller.
    Also None for runs with rows set aside to calibrate on: the model of all other rows was calibrated on those.
    """
    names = list[str]()
    for folder in folders:
        record = read_record(folder)
        if record is None or record.calibration is None or record.calibration.split is None or record.data.calibration:
            return None
        names = record.data.labels
    try:
        _, logits, labels = held_out_logits(folders)
    except ConfigError:
        return None
    facts = fit_calibration(logits, labels, names, method=TEMPERATURE, split=FOLDS)
    shares = softmax(calibrated_logits(facts, logits))
    confidence = shares.max(1)
    scores = {"ece": ece(confidence, shares.argmax(1) == labels), "ece_floor_95": ece_floor(confidence).high}
    return HeldOutCalibration(facts, scores)


def threshold_words(folders: Sequence[Path]) -> list[str]:
    """Return overrides, the best first, each of which gives the model of all rows fitted thresholds of labels.

    folders: the runs on all folds, one a fold. [] if they fitted none to the rows that they held out. One threshold
    is a number, that of their answers to these rows. Those of each label come from fold runs that train as the model of
    all rows does; this is refused for a student, whose teacher has seen all rows, so that it gets one for all labels.
    """
    record = read_record(folders[0]) if folders else None
    if record is None or record.thresholds is None or not record.thresholds.values or record.data.calibration:
        return []
    found = [] if record.thresholds.rule == ONE else [f"data.calibration={BY_FOLDS}"]
    try:
        _, logits, labels = held_out_logits(folders)
    except ConfigError:
        return found
    return [*found, f"data.threshold={float(one_threshold(sigmoid(logits), labels)[0])!r}"]
