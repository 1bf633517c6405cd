"""The positive class of F1, precision and recall, and which scores a task can have; checked before training.

    positive_class(None, data)      # the rarer class of the training rows, for example 30 fraud among 2,000 ok

F1 of the more frequent class would be high for a model that always predicts it.
"""

from __future__ import annotations

import difflib

import numpy as np

from data.errors import DataError
from data.settings import BINARY_SCORES, SCORES
from data.sources.raw import RawData

# Class 0 counts as the rarer one below this share of class 1's rows; closer than that, the difference may be chance.
RARER = 0.9


def positive_class(wanted: str | None, data: RawData) -> int:
    """Return the id of the positive class: the named one, else the rarer one in train.

    It is 1 if both are about equally frequent, and if there are not exactly two classes. DataError for a name that is
    not one of two classes.
    """
    names = data.label_names
    if wanted is None:
        if len(names) != 2:
            return 1
        first, second = np.bincount(data.splits["train"].labels, minlength=2)[:2]
        return 0 if first < RARER * second else 1
    if len(names) != 2:
        what = f"{len(names)} classes" if names else data.kind
        raise DataError(
            f"data.positive={wanted}: only one of two classes can be the positive one, and this task is {what}. "
            "Try: data.positive=null"
        )
    if wanted not in names:
        close = difflib.get_close_matches(wanted, names, n=1) or [names[1]]
        raise DataError(
            f"data.positive={wanted}: no such class; the classes are {', '.join(names)}. Try: data.positive={close[0]}"
        )
    return names.index(wanted)


def check_metrics(metrics: tuple[str, ...], data: RawData) -> None:
    """Raise DataError for a score that the task cannot have."""
    known, classes = SCORES[data.kind], len(data.label_names)
    for name in metrics:
        if name not in known:
            raise DataError(
                f"data.metrics: {name} is not a score of {data.kind} (those are {', '.join(known)}). "
                f"Try: data.metrics=[{known[0]}]"
            )
        if name in BINARY_SCORES and classes != 2:
            raise DataError(
                f"data.metrics: {name} is defined for two classes, not for {classes}. Try: data.metrics=[f1_macro]"
            )
