"""The answer of a model that decides on each label by itself, with the standard library.

A label is answered from its threshold on. The thresholds were fitted to the rows that chose the model, or are 0.5.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

THRESHOLDS, AT_LEAST_ONE = FIELDS = ("thresholds", "at_least_one")  # of a header


def answer_set(header: Mapping[str, Any], labels: Sequence[str], scores: Sequence[float]) -> dict[str, Any]:
    """Return the labels of a text, the likeliest first, as a text and as a list, and the probability of each label.

    header: with the thresholds, one a label; at_least_one: is the likeliest answered where none reaches its threshold?
    """
    shares = [_sigmoid(score) for score in scores]
    order = sorted(range(len(labels)), key=lambda place: -shares[place])
    chosen = [place for place in order if shares[place] >= header[THRESHOLDS][place]]
    if not chosen and header.get(AT_LEAST_ONE):
        chosen = order[:1]
    names = [labels[place] for place in chosen]
    return {"prediction": ", ".join(names), "predicted_labels": names, "probabilities": dict(zip(labels, shares))}


def _sigmoid(score: float) -> float:
    power = math.exp(-abs(score))
    return (1.0 if score >= 0 else power) / (1 + power)
