"""Types of JSON values. Standard library only, since checking a command's arguments imports this module."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

# What can be written; containers are read-only types here, so that a dict[str, int] is accepted too.
Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
# An object that was read or will be written. Code that reads a value must know or check its type.
JsonObject = dict[str, Any]
