"""How scores become probabilities: reads the calibration.json beside the weights, with the standard library.

The file names the SHA-256 of the weights that it was fitted to; beside others it is not used.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

CALIBRATION_FILE = "calibration.json"
PROMISE = "reject"  # its key for a promise on the share of errors, see rejection.py
NONE = "none"  # method of a model whose scores cannot be calibrated
UNKNOWN = "no calibration is known for it"


class PromiseError(ValueError):
    """A promise that this reader cannot keep."""


class Calibration:
    """How the scores of one file of weights become probabilities.

    facts: the content of calibration.json, {} without one that can be used. problem: why it is not used, "" where it is
    or where there is none. is_calibrated: may the shares be called probabilities? Else they are scores.
    """

    def __init__(self, facts: dict[str, Any] | None = None, problem: str = "") -> None:
        """Raises KeyError, TypeError or ValueError for facts that are no calibration."""
        self.facts, self.problem = facts or {}, problem
        self.is_calibrated = bool(facts) and self.facts["method"] != NONE
        self.temperature = float(self.facts.get("temperature", 1.0))
        self.power = float(self.facts.get("power", 1.0))
        self.weights, self.shifts = (list(map(float, self.facts.get(name, ()))) for name in ("weights", "shifts"))
        if (
            not 0 < self.temperature < math.inf
            or not 0 < self.power < math.inf
            or len(self.weights) != len(self.shifts)
            or not all(map(math.isfinite, self.weights + self.shifts))
        ):
            raise ValueError(f"temperature {self.temperature}, {len(self.weights)} weights, {len(self.shifts)} shifts")

    def apply(self, scores: Sequence[float]) -> list[float]:
        """Return the scores of a text whose softmax the probabilities are."""
        if self.weights:
            return [
                score * weight + shift for score, weight, shift in zip(scores, self.weights, self.shifts, strict=True)
            ]
        scaled = [score / self.temperature for score in scores]
        mean = sum(scaled) / len(scaled)
        square = 2 * sum((one - mean) ** 2 for one in scaled)  # of how far apart they are
        return [one * square ** ((self.power - 1) / 2) for one in scaled] if square else scaled

    def apply_rows(self, logits: np.ndarray) -> np.ndarray:
        """Scores (texts, classes), an array of NumPy, as `apply` makes them of one text; in float64."""
        logits = logits.astype("float64")
        if self.weights:
            return logits * self.weights + self.shifts
        scaled = logits / self.temperature
        square = 2 * ((scaled - scaled.mean(1, keepdims=True)) ** 2).sum(1, keepdims=True)
        return scaled * (square + (square == 0)) ** ((self.power - 1) / 2)

    def about(self) -> str:
        """Return the words for the shares of all answers: probabilities or scores, and why."""
        if not self.is_calibrated:
            return f"scores, not probabilities: {self.problem or self.facts.get('reason') or UNKNOWN}"
        return f"probabilities, calibrated on {self.facts.get('rows', 0):,} rows of {self.facts.get('split')}"

    def describe(self, share: float) -> str:
        """Return the words for an answer whose largest share this is."""
        if not self.is_calibrated:
            return self.about()
        error, floor = self.facts.get("ece"), self.facts.get("ece_floor_95")
        if error is None or floor is None:
            return f"confidence {share:.2f}"
        if error <= floor:
            return f"about {min(99, round(100 * share))} in 100 such answers are right"
        return f"confidence {share:.2f} (off by about {error:.1g} on average)"


def softmax(scores: Sequence[float]) -> list[float]:
    """Return the shares of scores; they add up to 1."""
    highest = max(scores)
    powers = [math.exp(score - highest) for score in scores]
    total = sum(powers)
    return [power / total for power in powers]


def read_calibration(weights: Path, classes: int | None = None) -> Calibration:
    """Return the calibration of a file of weights, from the file beside it; an empty one where none can be used.

    classes: how many the model has; None: not compared with those of the calibration. Raises PromiseError for a promise
    that is for other weights: without it texts would be answered that should not be.
    """
    path, text = weights.with_name(CALIBRATION_FILE), ""
    try:
        text = path.read_text(encoding="utf-8")
        facts = json.loads(text)
        if hash_of(weights) in facts["of"]:
            found = Calibration(facts)
            if classes is not None and found.weights and len(found.weights) != classes:
                raise ValueError(f"{len(found.weights)} weights, {classes} classes")
            return found
        problem = f"{CALIBRATION_FILE} was made for other weights than {weights.name}"
    except FileNotFoundError:
        return Calibration()
    except (OSError, ValueError, KeyError, TypeError) as error:
        problem = f"{CALIBRATION_FILE} is damaged ({error!r})"
    if f'"{PROMISE}"' in text:
        raise PromiseError(f"{path}: its promise on the share of errors does not hold: {problem}. Export the run again")
    return Calibration(problem=f"{problem}, so it is not used")


def hash_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
