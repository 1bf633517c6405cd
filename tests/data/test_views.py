"""Rows that are read as codes, or as texts and codes."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest

from data.batch import collate
from data.codes import CodePaths
from data.errors import DataError
from data.labels import Labels
from data.splits import PairedRows, Splits, TokenSplit
from data.views import CodeInput, all_with_codes, pairs_of, shuffled, with_codes


class Words:
    """The input of rows of text: their ids, unpadded, as all rows here have two."""

    def collate(self, split: TokenSplit, rows: np.ndarray, lookup: np.ndarray | None = None) -> dict[str, np.ndarray]:
        return {"input_ids": np.stack([split.tokens[split.offsets[row] : split.offsets[row + 1]] for row in rows])}


def texts(count: int, name: str) -> TokenSplit:
    ends = np.arange(count + 1) * 2
    labels, starts = Labels(np.arange(count) % 2), np.full(count, 2, np.int32)
    return TokenSplit(name, np.arange(count * 2), ends, starts, labels, 0, cast(Any, Words()))


def codes(count: int) -> CodePaths:
    """Row i has the code 10 + i below the nodes i and 9; the last row has none."""
    ends = np.minimum(np.arange(count + 1), count - 1)
    nodes = np.stack([np.arange(count - 1), np.full(count - 1, 9)], 1).ravel()
    return CodePaths(nodes, ends * 2, 10 + np.arange(count - 1), ends, 20, np.zeros((2, 0), np.int64))


def splits() -> Splits:
    train, select, report = texts(4, "train"), texts(3, "val"), texts(2, "test")
    paired = PairedRows(texts(5, "pairs"), codes(6).take(np.arange(5)), np.arange(3), codes(4),
                        {"val": codes(3), "test": codes(2)}, "sha")  # fmt: skip
    return Splits(cast(Any, None), train, select, (report,), cast(Any, None), "", paired=paired)


def test_a_row_is_its_number_and_keeps_its_codes_when_some_rows_are_taken() -> None:
    found = with_codes(texts(4, "train"), codes(4), texts=True)
    batch = collate(found.take(np.array([2, 0])), np.array([0, 1]))
    assert batch.inputs["codes"].tolist() == [12, 10] and batch.inputs["path_offsets"].tolist() == [0, 2, 4]
    assert batch.inputs["input_ids"].tolist() == [[4, 5], [0, 1]], "the texts of the same rows"
    assert set(found.lengths) == {1}, "batches are drawn at random, not by length"
    assert "input_ids" not in collate(with_codes(texts(4, "train"), codes(4), texts=False), np.array([1])).inputs


def test_all_splits_are_read_as_codes_with_their_labels() -> None:
    found = all_with_codes(splits(), texts=False)
    assert [len(part) for part in (found.train, found.select, *found.report)] == [4, 3, 2]
    assert found.train.labels.values.tolist() == [0, 1, 0, 1]
    assert collate(found.train, np.array([3])).inputs["codes"].size == 0, "a row without a code"


def test_pairs_are_all_texts_with_codes_and_those_held_out() -> None:
    found = pairs_of(splits(), "view")
    assert len(found.train) == 5 and len(found.select) == 2 and found.select.name == "view"
    batch = collate(found.select, np.array([1]))
    assert batch.inputs["codes"].tolist() == [11] and batch.inputs["input_ids"].tolist() == [[2, 3]]
    assert batch.targets == {}


def test_shuffled_rows_have_the_codes_of_others() -> None:
    paired = splits().paired
    assert paired is not None
    found = shuffled(paired, seed=0)
    assert sorted(found.codes.codes) == sorted(paired.codes.codes)
    assert found.codes.codes.tolist() != paired.codes.codes.tolist()
    assert found.texts is paired.texts and shuffled(paired, 0).codes.codes.tolist() == found.codes.codes.tolist()


def test_rows_of_codes_have_no_example_for_timing() -> None:
    with pytest.raises(DataError, match="is not deployed"):
        CodeInput(codes(3)).example(texts(3, "val"), 1, 8)
