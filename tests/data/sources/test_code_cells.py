"""Cells of codes: one, several or none."""

from __future__ import annotations

import pyarrow as pa
import pytest

from data.errors import DataError
from data.sources.code_cells import code_lists, codes_of


@pytest.mark.parametrize(
    ("cell", "codes"),
    [("A00", ["A00"]), (["A00", " B01 "], ["A00", "B01"]), ([], []), (None, []), ("", []), (float("nan"), []),
     (250, ["250"]), (["A00", None, " "], ["A00"])],
)  # fmt: skip
def test_a_cell_has_one_code_or_several_or_none(cell: object, codes: list[str]) -> None:
    assert codes_of(cell, "a row") == codes


def test_a_code_that_is_no_text_is_refused_with_its_row() -> None:
    with pytest.raises(DataError, match="train row 7 holds"):
        codes_of([{"code": "A00"}], "train row 7")


@pytest.mark.parametrize("kind", [pa.string(), pa.list_(pa.string()), pa.dictionary(pa.int32(), pa.string())])
def test_a_column_becomes_lists_of_texts(kind: pa.DataType) -> None:
    cells: list[object] = [["A", "B"], None] if pa.types.is_list(kind) else ["A", None]
    found = code_lists(pa.chunked_array([pa.array(cells, kind)]), "train")
    assert found.type == pa.list_(pa.string())
    assert found.to_pylist() == [["A", "B"] if pa.types.is_list(kind) else ["A"], []]
