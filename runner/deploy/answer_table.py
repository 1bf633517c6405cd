"""An answer as a row of a table: one column a field, and one for each name of a field with shares."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from data.inputs.request import Field
from runner.deploy.bundle.calibration import Calibration

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
