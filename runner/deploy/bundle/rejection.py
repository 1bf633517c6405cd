"""Answers "unsure" where the share of errors that was promised for given answers would not hold.

The thresholds are found by runner/statistics/rejection.py on rows of the data; they lie in calibration.json.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

if __package__:
    from .calibration import CALIBRATION_FILE, Calibration
else:  # copied into a bundle
    from calibration import CALIBRATION_FILE, Calibration  # type: ignore[import-not-found,no-redef]

UNSURE = "unsure"
MOST_PROBABLE = "most_probable"  # of an answer: the label without a promise
PROMISE = "reject"  # the key in calibration.json
CLASSES = "classes"  # of a promise for single classes; without it, it is for every answer


class PromiseError(ValueError):
    """A promise that this reader cannot keep."""


def promise_of(calibration: Calibration, weights: Path, labels: tuple[str, ...]) -> dict[str, Any] | None:
    """The promise in the calibration.json beside a file of weights, None where there is none.

    calibration: as it was read from that file. Raises PromiseError for a promise that is damaged or for other weights:
    without it a model would answer texts that it should not.
    """
    path = weights.with_name(CALIBRATION_FILE)
    if calibration.problem and path.is_file() and f'"{PROMISE}"' in path.read_text(encoding="utf-8", errors="replace"):
        raise PromiseError(f"{path}: its promise on the share of errors does not hold: {calibration.problem}")
    found = calibration.facts.get(PROMISE)
    return None if found is None else check_promise(found, labels, str(path))


def check_promise(promise: Any, labels: tuple[str, ...], where: str) -> dict[str, Any]:
    """Return the promise of a calibration.json; PromiseError where it is not one for a model with these labels."""
    try:
        entries = promise.get(CLASSES, {"": promise})
        numbers = [float(entry["threshold"]) for entry in entries.values()]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise PromiseError(f"{where}: {PROMISE!r} is damaged ({error!r}). Export the model again") from error
    if unknown := set(promise.get(CLASSES, ())) - set(labels):
        raise PromiseError(f"{where}: {PROMISE!r} is for {min(unknown)!r}, no label of this model. Export it again")
    if not numbers or UNSURE in labels or any(number != number for number in numbers):
        raise PromiseError(f"{where}: {PROMISE!r} has no thresholds for these labels. Export the model again")
    return dict(promise)


def keep_promise(promise: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer with probabilities as the promise allows it: `prediction` is a label, or UNSURE.

    Of a promise for single classes the label is one of them; the most probable of all labels is in MOST_PROBABLE.
    """
    shares = answer["probabilities"]
    classes = promise.get(CLASSES)
    if classes is None:
        best, threshold = answer["prediction"], promise["threshold"]
    else:
        best = max(classes, key=shares.__getitem__)
        threshold = classes[best]["threshold"]
    said = best if shares[best] > threshold else UNSURE
    return {"prediction": said, MOST_PROBABLE: answer["prediction"]} | {
        key: value for key, value in answer.items() if key != "prediction"
    }
