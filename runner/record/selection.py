"""The score on the selection rows, and the best of several runs by it. Reported rows are never used to choose."""

from __future__ import annotations

import math
from collections.abc import Sequence

from data.settings import ALL_FOLDS
from runner.record.metrics import direction
from runner.record.record import RunRecord


def selection_score(record: RunRecord) -> float | None:
    """Return the score on the selection rows; None before there is one, and in records that do not name it.

    None, too, for a run with data.fold=all: the selection rows are among those that it was trained on.
    """
    if record.setting("data.fold") == ALL_FOLDS:
        return None
    return record.metrics.get(record.data.selection or "")


def selection_rows(record: RunRecord) -> tuple[str, str | None, str]:
    """Return what two scores must have in common to be compared: data set, score, and rows.

    The folds of one data set count as the same rows.
    """
    split = (record.data.selection or "").partition("/")[0]
    return record.dataset, record.data.selection, "" if record.setting("data.fold") else record.data.examples(split)


def best_record(records: Sequence[RunRecord]) -> RunRecord | None:
    """Return the record with the best such score, the first of equals; None for runs of several data or metrics.

    NaN does not count as a score: no comparison with it is true, so it would win by being the first.
    """
    found = ((selection_score(record), record) for record in records)
    scored = [(score, record) for score, record in found if score is not None and not math.isnan(score)]
    if len({selection_rows(record) for _, record in scored}) != 1:
        return None
    sign = -1.0 if direction(str(scored[0][1].data.selection)) == "lower" else 1.0
    return max(scored, key=lambda pair: sign * pair[0])[1]
