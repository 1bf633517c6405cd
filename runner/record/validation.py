"""Checks that a record was written by the runner.

Records are edited by hand, cut off by full disks and sent by other people. Every reader checks a record here before
trusting it; each line of metrics.jsonl is checked, for the same reason.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from data.json_types import JsonObject
from runner.record.calibration import METHODS
from runner.record.metrics import check

LARGEST = 1e300  # a number that does not fit a float is no measurement
LAST_STEP, LAST_S = 2**53, 1e11  # what databases and clocks can hold


# A type, the allowed values, or the kinds of the parts: by key, or one for all.
Kind: TypeAlias = "type | tuple[str, ...] | Each | OrNull | Mapping[str, Kind]"


@dataclass(frozen=True)
class Each:
    """A list, or a dictionary, whose values are all of one kind."""

    outer: type[list[object]] | type[dict[str, object]]
    inner: Kind


@dataclass(frozen=True)
class OrNull:
    """A value that may be missing or null."""

    inner: Kind


STATUSES = ("running", "done", "failed", "killed")
TEXTS, NUMBERS = Each(list, str), Each(dict, float)
SHARES, COUNTS = Each(list, float), Each(list, int)  # one a class
REPORT: Kind = {
    "classes": TEXTS, "support": COUNTS, "predicted": COUNTS, "precision": SHARES, "recall": SHARES, "f1": SHARES,
    "confusion": OrNull(Each(list, COUNTS)),
}  # fmt: skip
RECORD: Kind = {
    "identity": str,
    "status": STATUSES,
    "name": str,
    "started": str,
    "reason": OrNull(str),
    "overrides": TEXTS,
    "config": {
        "seed": int,
        "model": {"name": str},
        "data": {"name": str, "text": str, "text_pair": OrNull(str), "max_length": int, "metrics": TEXTS},
        "compression": OrNull(dict),
    },
    "metrics": NUMBERS,
    "stages": Each(list, {"name": str, "metrics": NUMBERS, "seconds": OrNull(float)}),
    "data": {
        "primary": str, "rows": Each(dict, int), "task": str, "name": OrNull(str), "labels": OrNull(TEXTS),
        "positive": OrNull(str), "fingerprint": OrNull(str), "fingerprints": OrNull(Each(dict, str)),
        "duplicates": OrNull(Each(dict, int)), "selection": OrNull(str), "targets": OrNull(NUMBERS),
        "label_columns": OrNull(COUNTS),
    },
    "reports": OrNull(Each(dict, REPORT)),
    "environment": OrNull({"engine": OrNull(dict)}),
    "notes": OrNull(TEXTS),
    "steps": OrNull(int),
    "tokenizer": OrNull({"fingerprint": OrNull(str)}),
    "weights": OrNull({"fingerprint": OrNull(str)}),
    "recipe": OrNull({
        "chosen": str, "metric": str, "rows": int, "units": OrNull(str),
        "tried": Each(list, {"settings": str, "third": OrNull(float), "whole": OrNull(float)}),
    }),
    "calibration": OrNull({
        "method": METHODS, "temperature": float, "power": OrNull(float), "weights": OrNull(SHARES),
        "shifts": OrNull(SHARES), "split": OrNull(str), "rows": OrNull(int), "ratio": OrNull(float),
        "reason": OrNull(str), "of": OrNull(TEXTS), "folds": OrNull(TEXTS),
    }),
    "thresholds": OrNull({
        "rule": str, "values": OrNull(SHARES), "split": OrNull(str), "rows": OrNull(int), "unfitted": OrNull(TEXTS),
        "reason": OrNull(str),
    }),
}  # fmt: skip
SWEEP: Kind = {
    "id": str,
    "name": OrNull(str),
    "question": OrNull(str),
    "overrides": TEXTS,
    "runs": Each(
        list, {"identity": OrNull(str), "overrides": TEXTS, "status": (*STATUSES, "new"), "reason": OrNull(str)}
    ),
    "claims": OrNull(Each(list, dict)),
    "started": OrNull(str),
    "ended": OrNull(str),
    "status": OrNull(STATUSES),
    "study": OrNull(str),
}


def problem_of_record(record: JsonObject) -> str | None:
    """Return the first thing that is wrong with a record, in words; None for a valid one."""
    found = mismatch(record, RECORD)
    if found:
        return found
    try:
        check(record["data"]["primary"])
    except KeyError as error:
        return str(error.args[0])
    return None


def problem_of_sweep(content: JsonObject) -> str | None:
    """Return the first thing that is wrong with the content of a sweep.json, in words; None for a valid one."""
    return mismatch(content, SWEEP)


def point(line: str | bytes) -> JsonObject | None:
    """Return one line of metrics.jsonl: step, time and numbers by name; None for a damaged or half-written line."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if (
        mismatch(found, NUMBERS)
        or not 0 <= found.get("step", -1) <= LAST_STEP
        or not 0 <= found.get("time", -1) <= LAST_S
    ):
        return None
    return dict(found)


def mismatch(value: object, kind: Kind) -> str | None:
    """Return the first value that is not of the wanted kind, in words; None if all are.

    kind: a type, a tuple of allowed values, Each, OrNull, or a dictionary of kinds by key.
    """
    found = _first_wrong(value, kind)
    return None if found is None else _in_words(found)


@dataclass(frozen=True)
class Wrong:
    """A value of an unexpected kind, and the keys that lead to it, innermost first."""

    value: object
    kind: type | tuple[str, ...]
    path: tuple[object, ...] = ()

    def below(self, key: object) -> Wrong:
        """Return the same problem as seen from the value that has it under `key`."""
        return Wrong(self.value, self.kind, (*self.path, key))


def _first_wrong(value: object, kind: Kind) -> Wrong | None:
    """Return the first value of another kind.

    It has to be fast: a comparison checks a million values, nearly all of which are right.
    """
    if isinstance(kind, type):
        return None if _is_of_type(value, kind) else Wrong(value, kind)
    if isinstance(kind, OrNull):
        return None if value is None else _first_wrong(value, kind.inner)
    if isinstance(kind, tuple):
        return None if value in kind else Wrong(value, kind)
    if isinstance(kind, Each):
        if not isinstance(value, kind.outer):
            return Wrong(value, kind.outer)
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            if not _is_plainly(part, kind.inner) and (found := _first_wrong(part, kind.inner)) is not None:
                return found.below(key)
        return None
    if not isinstance(value, dict):
        return Wrong(value, dict)
    for key, inner in kind.items():
        part = value.get(key)
        if not _is_plainly(part, inner) and (found := _first_wrong(part, inner)) is not None:
            return found.below(key)
    return None


def _is_plainly(value: object, kind: Kind) -> bool:
    """Is it of the kind by its type alone, as most values are? False if `_first_wrong` has to check further."""
    return type(value) is kind is not int or (value is None and type(kind) is OrNull)


def _is_of_type(value: object, kind: type) -> bool:
    """Is it of this type? Numbers must fit a float, true and false are not numbers, and a whole number is also a
    float.
    """
    if kind is not float and kind is not int:
        return isinstance(value, kind)
    if isinstance(value, bool):
        return False
    if isinstance(value, float):
        return kind is float
    return isinstance(value, int) and abs(value) < LARGEST


NAMES = {
    bool: "true or false",
    str: "a text",
    int: "a whole number",
    float: "a number",
    list: "a list",
    dict: "an object",
}


def _in_words(wrong: Wrong) -> str:
    value, kind = wrong.value, wrong.kind
    place = ".".join(str(key) for key in reversed(wrong.path))
    what = "missing" if value is None else f"{str(value)[:40]!r}"
    expected = f"one of {', '.join(kind)}" if isinstance(kind, tuple) else NAMES[kind]
    return f"{place[:60] or 'it'} is {what}, expected {expected}"
