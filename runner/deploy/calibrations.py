"""Fits the calibration of a classifier, and keeps it in calibration.json beside the weights that answer.

The reader of that file is runner/deploy/bundle/calibration.py, which every form of a model has.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from data.part_file import written_whole
from runner.deploy.bundle.calibration import CALIBRATION_FILE, hash_of
from runner.record.calibration import NONE, TEMPERATURE, VECTOR, CalibrationFacts
from runner.statistics.adaptive_temperature import fit_adaptive
from runner.statistics.temperature import fit_temperature, negative_log_likelihood
from runner.statistics.vector_scaling import fit_vector_scaling

SIZE = 384  # bytes of a run's file, whatever is in it: `run best` knows the size of a model before it is trained
OF_A_CLASS = 50  # further bytes for each class, where vector scaling was asked for
SHOWN = ("ece", "ece_floor_95")  # the scores of the reported split by which answers are worded


def fit_calibration(
    logits: np.ndarray, labels: np.ndarray, names: Sequence[str], *, method: str, split: str
) -> CalibrationFacts:
    """Return the calibration fitted to logits (n, C) and labels (n,) of a split; or none, with the reason.

    A temperature gets a power if that gains more than noise. method: temperature, or vector to try vector scaling as
    well. names: of the classes.
    """
    logits, labels = np.asarray(logits, np.float64), np.asarray(labels, np.int64)
    found = fit_temperature(logits, labels, names)
    facts = CalibrationFacts(
        NONE if found.is_refused else TEMPERATURE, found.value, split=split, rows=len(labels),
        ratio=None if found.is_refused else found.ratio, reason=found.reason or None,
    )  # fmt: skip
    if found.is_refused:
        return facts
    if (adaptive := fit_adaptive(logits, labels)) is not None:
        ratio = 2 * len(labels) * (negative_log_likelihood(logits, labels) - adaptive.after)
        facts = replace(facts, temperature=adaptive.temperature, power=adaptive.power, ratio=ratio, reason=None)
    if method != VECTOR:
        return facts
    vector = fit_vector_scaling(logits, labels)
    if isinstance(vector, str):
        return replace(facts, reason="; ".join(filter(None, [vector, facts.reason])))
    weights, shifts = vector.weights.tolist(), vector.shifts.tolist()
    return replace(facts, method=VECTOR, temperature=1.0, power=1.0, weights=weights, shifts=shifts, reason=None)


def file_size(method: str, classes: int) -> int:
    """Return the bytes of a run's calibration.json. method: of the setting `calibration`; classes: their number."""
    return SIZE + (OF_A_CLASS * classes if method == VECTOR else 0)


def write_calibration(
    weights: Sequence[Path], facts: CalibrationFacts, scores: Mapping[str, float], size: int = 0
) -> CalibrationFacts:
    """Write calibration.json beside files of weights that answer alike; return the facts with the hashes of the files.

    weights: at least one, all in one folder. scores: those of SHOWN. size: bytes that the file is filled up to.
    """
    facts = replace(facts, of=[hash_of(path) for path in weights])
    content: dict[str, Any] = {"method": facts.method, "temperature": facts.temperature}
    content |= {"power": facts.power} if facts.power != 1 else {}
    if facts.weights:
        content |= {"weights": facts.weights, "shifts": facts.shifts}
    content |= {"split": facts.split, "rows": facts.rows}
    content |= {name: round(scores[name], 6) for name in SHOWN if name in scores}
    content |= ({"reason": facts.reason} if facts.reason else {}) | {"of": facts.of}
    text = json.dumps(content)
    while size and len(text) >= size and content.get("reason"):  # long names of labels
        content["reason"] = content["reason"][:-1]
        text = json.dumps(content)
    path = weights[0].with_name(CALIBRATION_FILE)
    with written_whole(path) as part:
        part.write_text(text.ljust(size - 1) + "\n", encoding="ascii")
    return facts
