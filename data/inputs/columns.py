"""The type of the columns of a chunk of rows that inputs read."""

from __future__ import annotations

from typing import Any

Columns = dict[str, list[Any]]  # by the names of a raw split's table: texts, or lists of words
