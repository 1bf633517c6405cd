"""Upper bounds: runs whose model reads more than a question contains, such as codes beside a text; never deployed."""

from __future__ import annotations

from models.views.settings import TEXT
from runner.record.record import RunRecord

BOUND = "not deployable"  # the mark in tables
BOUND_NOTE = "a bound: the model reads codes, which a question does not have, so it is neither saved nor timed"


def is_bound(record: RunRecord) -> bool:
    """Does the model of this run read columns that only training and test rows have?"""
    return bool(record.setting("view.reads", TEXT) != TEXT)
