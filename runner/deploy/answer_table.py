"""An answer as a row of a table: one column for each field, and for each label of a field with shares."""

from __future__ import annotations

import json
from collections.abc import Container, Sequence
from dataclasses import replace
from typing import Any

from data.inputs.request import Field
from runner.deploy.bundle.calibration import Calibration

MOVED = "predicted_"  # begins the name of a column that the table has already, such as the tags it is labelled with
SCORES = "the score of each label: not a probability, because it is not calibrated"

Answer = dict[str, Any]  # by the names of the task's answer fields, "prediction" first


def worded_fields(fields: Sequence[Field], calibration: Calibration) -> tuple[Field, ...]:
    """Return the fields of an answer; shares that are not calibrated are called scores, under the same name."""
    said = SCORES if not calibration.is_calibrated else None
    return tuple(replace(one, meaning=said) if said and one.type == "shares" else one for one in fields)


def column_types(fields: Sequence[Field]) -> dict[str, type]:
    """Return the columns that `answer_row` makes, and whether they hold text (str) or numbers (float)."""
    found: dict[str, type] = {}
    for field in fields:
        if field.type == "shares":
            found |= {f"p_{name}": float for name in field.names}
        else:
            found[field.name] = float if field.type == "number" else str
    return found


def names_beside(fields: Sequence[Field], taken: Container[str]) -> dict[str, str]:
    """Return the name of each column of an answer in a table with the columns `taken`: predicted_tags beside tags.

    The first field and shares keep their names: a table with one of these was answered before.
    """
    kept = {fields[0].name, *(name for field in fields if field.type == "shares" for name in column_types([field]))}
    return {
        name: f"{MOVED}{name}" if name in taken and name not in kept else name for name in column_types(fields)
    }  # fmt: skip


def as_cell(value: object) -> object:
    """Return the value of a column as one cell of a table: lists and objects become JSON."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value


def answer_row(answer: Answer, fields: Sequence[Field]) -> dict[str, Any]:
    """Return the columns of an answer; lists stay lists."""
    found: dict[str, Any] = {}
    for field in fields:
        value = answer[field.name]
        if field.type == "shares":
            found |= {f"p_{name}": share for name, share in value.items()}
        else:
            found[field.name] = value
    return found
