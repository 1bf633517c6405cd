"""Types of what JSON files hold. Standard library only, as the check of a command imports it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

# What can be written; containers are read-only here, so that a dict[str, int] passes too.
Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
# An object that was read, or is put together to be written. Who reads a value knows or checks what it is.
JsonObject = dict[str, Any]
