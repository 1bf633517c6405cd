"""The calibration of an exported graph: the model's own where the graph is equal to it, else fitted again."""

from __future__ import annotations

import numpy as np

from data.splits import TokenSplit
from runner.deploy.bundle.calibration import read_calibration
from runner.deploy.calibrations import fit_calibration, write_calibration
from runner.deploy.exported import ExportedModel
from runner.deploy.parity import RowsToCompare, evenly_by_length
from runner.deploy.predictor import Predictor
from runner.record.calibration import CalibrationFacts
from runner.record.predictions import calibrated_logits
from runner.record.record import RunRecord
from runner.statistics.ece import ece, ece_floor
from runner.statistics.probabilities import softmax

ROWS = 2000  # of a split at most: a temperature from so many is within 3 % of that from all
BATCH = 32
LOST = "its 8-bit weights were not calibrated, because the data of the run are unavailable"
OTHER_LENGTHS = "it was not calibrated at these lengths, because the data of the run are unavailable"
BY_FOLDS = "it was not calibrated, because all rows of the run train (data.calibration=folds)"


def carry_calibration(record: RunRecord, trained: ExportedModel, graph: Predictor, rows: RowsToCompare) -> None:
    """Write the calibration.json of a graph; nothing for a run whose own model has none.

    In fp32 the logits are the model's, so the calibration is too. In 8 bits, or at other lengths than the run's, they
    differ: it is fitted to those of the calibration rows, or left out, with the reason, if these are
    unavailable.
    """
    known = read_calibration(trained.weights)
    facts = record.calibration
    if not known.facts or facts is None:
        return
    scores = {name: value for name, value in known.facts.items() if isinstance(value, float)}
    if known.is_calibrated and (graph.exported.engine == "onnx-int8" or trained.lengths):
        lost = BY_FOLDS if facts.folds else OTHER_LENGTHS if trained.lengths else LOST
        facts, scores = refit(facts, record, graph, rows, lost)
    write_calibration([graph.exported.weights], facts, scores)


def refit(
    facts: CalibrationFacts, record: RunRecord, graph: Predictor, rows: RowsToCompare, lost: str = LOST
) -> tuple[CalibrationFacts, dict[str, float]]:
    """Return the calibration of a graph's own logits, and the ECE with its floor on rows of the reported split.

    lost: why there is none, if the rows are unavailable.
    """
    if rows.calibration is None:
        return CalibrationFacts(reason=lost), {}
    logits, labels = some_logits(graph, rows.calibration)
    found = fit_calibration(logits, labels, record.data.labels, method=facts.method, split=rows.calibration.name)
    logits, labels = some_logits(graph, rows.split)
    shares = softmax(calibrated_logits(found, logits))
    confidence = shares.max(1)
    scores = {"ece": ece(confidence, shares.argmax(1) == labels), "ece_floor_95": ece_floor(confidence).high}
    return found, scores


def some_logits(graph: Predictor, split: TokenSplit) -> tuple[np.ndarray, np.ndarray]:
    """Return the logits (n, C) and the labels (n,) of ROWS rows of a split, or of all if there are fewer."""
    some = split.take(evenly_by_length(split.lengths, ROWS))
    return graph.logits(some, BATCH), np.asarray(some.labels.values)
