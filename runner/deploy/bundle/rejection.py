"""Answers "unsure" where the share of errors that was promised for given answers would not hold.

The thresholds are found by runner/statistics/rejection.py on rows of the data; they lie in calibration.json.
"""

from __future__ import annotations

from typing import Any

if __package__:
    from .calibration import PROMISE, PromiseError
else:  # copied into a bundle
    from calibration import PROMISE, PromiseError  # type: ignore[import-not-found,no-redef]

UNSURE = "unsure"
MOST_PROBABLE = "most_probable"  # of an answer: the label without a promise
CLASSES, WORDS = (
    "classes",
    "words",
)  # of a promise: those that are answered, where not all are; what holds, in sentences


def promise_in(facts: dict[str, Any], labels: tuple[str, ...]) -> dict[str, Any] | None:
    """Return the promise in the content of a calibration.json, None where there is none.

    Raises PromiseError for a damaged one.
    """
    return check_promise(facts[PROMISE], labels, "calibration.json") if PROMISE in facts else None


def check_promise(promise: Any, labels: tuple[str, ...], where: str) -> dict[str, Any]:
    """Return the promise of a calibration.json.

    Raises PromiseError where it is not one for a model with these labels.
    """
    try:
        entries = promise.get(CLASSES, {"": promise})
        numbers = [float(entry["threshold"]) for entry in entries.values()]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise PromiseError(f"{where}: {PROMISE!r} is damaged ({error!r}). Export the model again") from error
    if unknown := set(promise.get(CLASSES, ())) - set(labels):
        raise PromiseError(f"{where}: {PROMISE!r} is for {min(unknown)!r}, not a label of this model. Export it again")
    if not numbers or UNSURE in labels or any(number != number for number in numbers):
        raise PromiseError(f"{where}: {PROMISE!r} has no thresholds for these labels. Export the model again")
    return dict(promise)


def keep_promise(promise: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer with probabilities as the promise allows it: `prediction` is a label, or UNSURE.

    Of a promise for single classes the label is one of them; the most probable of all labels is in MOST_PROBABLE.
    """
    shares, classes = answer["probabilities"], promise.get(CLASSES)
    probable = answer.get(MOST_PROBABLE, answer["prediction"])  # of an answer that keeps another promise already
    if classes is None:
        best, threshold = probable, promise["threshold"]
    else:
        best = max(classes, key=shares.__getitem__)
        threshold = classes[best]["threshold"]
    said = best if shares[best] > threshold else UNSURE
    others = {key: value for key, value in answer.items() if key not in ("prediction", MOST_PROBABLE)}
    return {"prediction": said, MOST_PROBABLE: probable} | others
