"""Is a record what the runner writes? Records are mended by hand, cut off by full disks and sent by other people.

What reads a record asks here first and then takes its word; metrics.jsonl is read line by line, for the same reason.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from runner.record.metrics import check

LARGEST = 1e300  # what does not fit a float is no measurement
LAST_STEP, LAST_S = 2**53, 1e11  # what databases and clocks can hold


@dataclass(frozen=True)
class Of:
    """A list of values, or a dictionary to values, of one kind."""

    outer: Any  # list or dict
    inner: Any


@dataclass(frozen=True)
class Maybe:
    """What may be missing or null."""

    inner: Any


STATUSES = ("running", "done", "failed", "killed")
TEXTS, NUMBERS = Of(list, str), Of(dict, float)
SHARES, COUNTS = Of(list, float), Of(list, int)  # one a class
REPORT = {
    "classes": TEXTS, "support": COUNTS, "predicted": COUNTS, "precision": SHARES, "recall": SHARES, "f1": SHARES,
    "confusion": Maybe(Of(list, COUNTS)),
}  # fmt: skip
RECORD = {
    "identity": str,
    "status": STATUSES,
    "name": str,
    "started": str,
    "reason": Maybe(str),
    "overrides": TEXTS,
    "config": {
        "seed": int,
        "model": {"name": str},
        "data": {"name": str, "text": str, "text_pair": Maybe(str), "max_length": int, "metrics": TEXTS},
        "compression": Maybe(dict),
    },
    "metrics": NUMBERS,
    "stages": Of(list, {"name": str, "metrics": NUMBERS, "seconds": Maybe(float)}),
    "data": {
        "primary": str, "rows": Of(dict, int), "task": str, "name": Maybe(str), "labels": Maybe(TEXTS),
        "positive": Maybe(str), "fingerprint": Maybe(str), "fingerprints": Maybe(Of(dict, str)),
        "duplicates": Maybe(Of(dict, int)),
    },
    "reports": Maybe(Of(dict, REPORT)),
    "environment": Maybe(dict),
    "tokenizer": Maybe({"fingerprint": Maybe(str)}),
    "weights": Maybe({"fingerprint": Maybe(str)}),
}  # fmt: skip
SWEEP = {
    "id": str,
    "name": Maybe(str),
    "question": Maybe(str),
    "overrides": TEXTS,
    "runs": Of(list, {"identity": Maybe(str), "overrides": TEXTS, "status": (*STATUSES, "new"), "reason": Maybe(str)}),
    "claims": Maybe(Of(list, dict)),
    "started": Maybe(str),
    "ended": Maybe(str),
    "status": Maybe(STATUSES),
}


def flaw(record: dict[str, Any]) -> str | None:
    """What is wrong with a record, in words; None where it is whole."""
    found = misfit(record, RECORD)
    if found:
        return found
    try:
        check(record["data"]["primary"])
    except KeyError as error:
        return str(error.args[0])
    return None


def flaw_of_sweep(content: dict[str, Any]) -> str | None:
    """The same for a sweep.json."""
    return misfit(content, SWEEP)


def point(line: str | bytes) -> dict[str, Any] | None:
    """One line of metrics.jsonl: step, time and numbers by name; None for one that is damaged or half-written."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if (
        misfit(found, NUMBERS)
        or not 0 <= found.get("step", -1) <= LAST_STEP
        or not 0 <= found.get("time", -1) <= LAST_S
    ):
        return None
    return dict(found)


def misfit(value: Any, kind: Any, place: str = "") -> str | None:
    """What is not of its kind, the first thing of all."""
    if isinstance(kind, Maybe):
        return None if value is None else misfit(value, kind.inner, place)
    if isinstance(kind, tuple):
        return None if value in kind else _wrong(value, kind, place)
    if isinstance(kind, Of):
        if not isinstance(value, kind.outer):
            return _wrong(value, kind.outer, place)
        items: Any = value.items() if isinstance(value, dict) else enumerate(value)
        return next((f for key, part in items if (f := misfit(part, kind.inner, f"{place}.{key}"))), None)
    if isinstance(kind, dict):
        if not isinstance(value, dict):
            return _wrong(value, dict, place)
        return next((f for key, part in kind.items() if (f := misfit(value.get(key), part, f"{place}.{key}"))), None)
    if kind is float or kind is int:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        whole = kind is float or isinstance(value, int)
        small = is_number and (isinstance(value, float) or abs(value) < LARGEST)
        return None if is_number and whole and small else _wrong(value, kind, place)
    return None if isinstance(value, kind) else _wrong(value, kind, place)


NAMES = {
    bool: "true or false",
    str: "a text",
    int: "a whole number",
    float: "a number",
    list: "a list",
    dict: "an object",
}


def _wrong(value: Any, kind: type | tuple[str, ...], place: str) -> str:
    what = "missing" if value is None else f"{str(value)[:40]!r}"
    expected = f"one of {', '.join(kind)}" if isinstance(kind, tuple) else NAMES[kind]
    return f"{place.lstrip('.')[:60] or 'it'} is {what}, expected {expected}"
