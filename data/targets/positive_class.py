"""Which class the scores of one class are of, and which scores a task can have; told before anything is trained.

    positive_class(None, data)      # the rarer class of the training rows: fraud among 2,000 ok

F1 of the commoner class is high for a model that always answers it.
"""

from __future__ import annotations

import difflib

import numpy as np

from data.errors import DataError
from data.settings import BINARY_SCORES, SCORES
from data.sources.raw import RawData

# Below this share of class 1's rows class 0 is the rarer one; nearer to one another, chance decides which is.
RARER = 0.9


def positive_class(wanted: str | None, data: RawData) -> int:
    """The id of the class that F1, precision and recall are of: the named one, else the rarer in train.

    Class 1 where both are about equally common, and where there are no two classes. DataError for a name that is no
    class, or where there are no two.
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
            f"data.positive={wanted}: one of two classes can be the positive one, this task is {what}. "
            "Try: data.positive=null"
        )
    if wanted not in names:
        close = difflib.get_close_matches(wanted, names, n=1) or [names[1]]
        raise DataError(
            f"data.positive={wanted}: no such class; the classes are {', '.join(names)}. Try: data.positive={close[0]}"
        )
    return names.index(wanted)


def check_metrics(metrics: tuple[str, ...], data: RawData) -> None:
    """DataError for a score that the task does not have."""
    known, classes = SCORES[data.kind], len(data.label_names)
    for name in metrics:
        if name not in known:
            raise DataError(
                f"data.metrics: {name} is no score of a {data.kind} (those are {', '.join(known)}). "
                f"Try: data.metrics=[{known[0]}]"
            )
        if name in BINARY_SCORES and classes != 2:
            raise DataError(
                f"data.metrics: {name} is defined for two classes, here are {classes}. Try: data.metrics=[f1_macro]"
            )
