"""Cells of data.codes as lists of codes, from any source: a cell has one code, a list of codes, or none."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from data.sources.cells import as_text

if TYPE_CHECKING:
    import pyarrow as pa


def codes_of(cell: object, where: str) -> list[str]:
    """Return the codes of a cell without surrounding blanks; DataError for a code that is not text. where: the row."""
    cells = cell if isinstance(cell, list) else [cell]
    texts = (as_text(code, where, "data.codes").strip() for code in cells if not _is_missing(code))
    return [text for text in texts if text]


def code_lists(column: pa.ChunkedArray, where: str) -> pa.ChunkedArray:
    """Return a column of codes, or of lists of them, as lists of texts."""
    import pyarrow as pa

    cells = (cell for chunk in column.chunks for cell in chunk.to_pylist())
    rows = [codes_of(cell, f"{where} row {row}") for row, cell in enumerate(cells, 1)]
    return pa.chunked_array([pa.array(rows, pa.list_(pa.string()))])


def _is_missing(code: object) -> bool:
    """Return whether the code is missing: None or nan."""
    return code is None or (isinstance(code, float) and math.isnan(code))
