"""Rows of words and tags as one table and columns of codes."""

from __future__ import annotations

from typing import Any

import pytest

from data.errors import DataError
from data.sources.tagged import TagColumn, TaggedRows

ROWS = [(2, ["EU", "rejects"], [["B-ORG", "O"]]), (5, [], [[]]), (6, ["Peter"], [["B-PER"]]), (8, ["yes"], [["O"]])]


def read(rows: list[Any], join: int = 1, names: tuple[str, ...] = ()) -> tuple[TaggedRows, list[list[str]]]:
    tagged = TaggedRows([TagColumn("data.tags=ner", names)], "x.jsonl", join)
    return tagged, tagged.table(rows)["words"].to_pylist()


def test_rows_are_kept_in_order_and_empty_ones_are_counted() -> None:
    tagged, words = read(ROWS)
    assert words == [["EU", "rejects"], ["Peter"], ["yes"]]
    assert tagged.offsets.tolist() == [0, 2, 3, 4]
    assert tagged.columns[0].tags == ("B-ORG", "O", "B-PER")
    assert tagged.values.tolist() == [0, 1, 2, 1]
    assert list(tagged.source_rows) == [2, 6, 8]
    assert tagged.empty == 1


def test_rows_may_be_joined() -> None:
    tagged, words = read(ROWS, join=2)
    assert words == [["EU", "rejects", "Peter"], ["yes"]]
    assert tagged.offsets.tolist() == [0, 3, 4]
    assert list(tagged.source_rows) == [2, 8]


def test_two_labels_a_word_are_two_columns() -> None:
    tagged = TaggedRows([TagColumn("data.tags=a", ("O", "COMMA")), TagColumn("data.tags=b")], "x")
    tagged.table([(1, ["one", "two"], [[0, 1], ["CAP", "LOWER"]])])
    assert tagged.values.tolist() == [[0, 0], [1, 1]]
    assert tagged.columns[0].tags == ("O", "COMMA")


def test_a_wrong_row_is_named() -> None:
    with pytest.raises(DataError, match=r"x.jsonl row 3 has 2 words and 1 tags"):
        read([(3, ["EU", "rejects"], [["O"]])])
    with pytest.raises(DataError, match=r"x.jsonl row 4 holds a text"):
        read([(4, "EU rejects", [["O", "O"]])])
    with pytest.raises(DataError, match=r"x.jsonl has no row with words"):
        read([(1, [], [[]])])
