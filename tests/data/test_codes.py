"""Codes of rows as arrays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from data.codes import CodePaths, end_to_end

# Rows with the codes 3 and 4, none, and 5, below the nodes 1 and 2, below the root 0.
PATHS = CodePaths(
    *end_to_end([[1, 0, 2, 0], [], [2, 0]]),
    *end_to_end([[3, 4], [], [5]]),
    num_nodes=6,
    edges=np.array([[1, 2, 3, 4, 5], [0, 0, 1, 2, 2]]),
)


def test_rows_are_taken_in_the_order_that_is_asked_for() -> None:
    taken = PATHS.take(np.array([2, 0, 1, 2]))
    assert taken.nodes.tolist() == [2, 0, 1, 0, 2, 0, 2, 0] and taken.offsets.tolist() == [0, 2, 6, 6, 8]
    assert taken.codes.tolist() == [5, 3, 4, 5] and taken.code_offsets.tolist() == [0, 1, 3, 3, 4]
    assert len(taken) == 4 and taken.has_codes.tolist() == [True, True, False, True]
    assert taken.offsets.dtype == taken.nodes.dtype == np.int64


def test_a_batch_has_the_arguments_of_a_code_encoder() -> None:
    batch = PATHS.collate(np.array([0]))
    assert {name: values.tolist() for name, values in batch.items()} == {
        "paths": [1, 0, 2, 0], "path_offsets": [0, 4], "codes": [3, 4], "code_offsets": [0, 2],
    }  # fmt: skip
    assert len(PATHS.take(np.array([], np.int64))) == 0


def test_the_fingerprint_is_of_codes_and_tree() -> None:
    same = replace(PATHS, nodes=PATHS.nodes.copy())
    other_tree = replace(PATHS, edges=PATHS.edges[:, :4])
    found = {one.fingerprint for one in (PATHS, same, other_tree, PATHS.take(np.array([1, 0, 2])))}
    assert len(found) == 3 and same.fingerprint == PATHS.fingerprint
