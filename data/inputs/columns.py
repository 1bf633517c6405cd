"""The columns of a chunk of rows, as inputs read them."""

from __future__ import annotations

from typing import Any

Columns = dict[str, list[Any]]  # by the names of a raw split's table: texts, or lists of words
