"""Reads the records of many runs: parts with the same text are parsed, checked and held only once.

    reader = RecordReader()
    records = [reader.read(folder) for folder in folders]       # as `record_in` for each, in half the time

Thousands of runs have the same machine, the same data and all but a few settings in common. Shared parts must not
be changed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from data.json_types import JsonObject
from runner.record.metrics import check
from runner.record.record import PARTS, RunRecord, known_fields
from runner.record.validation import RECORD, Kind, OrNull, mismatch

CONFIG = 'config": '
KINDS = cast("Mapping[str, Kind]", RECORD)
CONFIG_KINDS = cast("Mapping[str, Kind]", KINDS["config"])


class RecordReader:
    """Reads records whose text is laid out as the runner writes it."""

    def __init__(self) -> None:
        self._members: dict[str, JsonObject] = {}  # of records and of their configs, by their text
        self._groups: dict[str, JsonObject] = {}

    def parse(self, text: str, identity: str) -> RunRecord | None:
        """Return the record in a text; None for one that is damaged or formatted differently."""
        found: JsonObject = {}
        try:
            for member in members_of(text, "\n"):
                if member.startswith(CONFIG):
                    config: JsonObject = {}
                    for group in members_of(member[len(CONFIG) :], "\n  "):
                        config |= self._groups.get(group) or self._parsed(group, CONFIG_KINDS, self._groups)
                    found["config"] = config
                else:
                    found |= self._members.get(member) or self._parsed(member, KINDS, self._members)
            found["identity"] = identity
            _check_required(found, KINDS)
            _check_required(found["config"], CONFIG_KINDS)
        except (ValueError, RecursionError):
            return None
        return known_fields(RunRecord, found)

    def _parsed(self, member: str, kinds: Mapping[str, Kind], known: dict[str, JsonObject]) -> JsonObject:
        """Parse a member of an object and remember it.

        Raises ValueError for a value of an unexpected kind.
        """
        found: JsonObject = json.loads(f'{{"{member}}}')
        for key, value in found.items():
            if key in kinds and mismatch(value, kinds[key]):
                raise ValueError(key)
            if kinds is KINDS and key in PARTS:
                found[key] = _typed(key, value)
        known[member] = found
        return found


def members_of(text: str, line: str) -> list[str]:
    """Return the members of a JSON object without their first quote.

    Raises ValueError for one that is formatted differently.

    line: a line's end and the indentation of the object.
    """
    begin, end = f'{{{line}  "', f"{line}}}"
    if not (text.startswith(begin) and text.endswith(end)):
        raise ValueError("not indented as the runner does")
    return text[len(begin) : -len(end)].split(f',{line}  "')


def _check_required(found: JsonObject, kinds: Mapping[str, Kind]) -> None:
    """Raise ValueError if a key is missing."""
    for key, wanted in kinds.items():
        if key not in found and not isinstance(wanted, OrNull):
            raise ValueError(key)


def _typed(key: str, value: Any) -> object:
    """Return a part of a record as RunRecord holds it; raise ValueError for data with an unknown headline metric."""
    if key == "data":
        try:
            check(value["primary"])
        except KeyError as error:
            raise ValueError("data.primary") from error
    return PARTS[key](value)
