"""Groups of rows: drawn again every epoch, and never split."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from data.units import Units, unit_batches

POSITIVE = np.array([1, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0], bool)
NEGATIVE = ~POSITIVE
NEGATIVE[[4, 13]] = False  # relevant documents that are no candidates
OFFSETS = np.array([0, 5, 7, 14])  # the second query has no relevant candidate
LENGTHS = np.arange(14) + 5


def units(negatives: int | None = 2, parts: np.ndarray | None = None) -> Units:
    return Units(OFFSETS, POSITIVE, NEGATIVE, negatives, parts)


def test_a_group_is_a_relevant_candidate_and_others_of_its_query() -> None:
    seen = set()
    for epoch in range(20):
        groups = units().draw(3, epoch)
        assert [int(group[0]) for group in groups] == [0, 7, 8]
        for group, allowed in zip(groups, ({1, 2, 3}, {9, 10, 11, 12}, {9, 10, 11, 12})):
            assert len(group) == 3 and len(set(group[1:].tolist())) == 2 and set(group[1:].tolist()) <= allowed
        seen.add(tuple(np.concatenate(groups).tolist()))
    assert len(seen) > 5
    assert all(np.array_equal(a, b) for a, b in zip(units().draw(3, 1), units().draw(3, 1)))


def test_all_candidates_are_one_group_a_query() -> None:
    groups = units(None).draw(0, 0)
    assert [group.tolist() for group in groups] == [[0, 1, 2, 3], [7, 8, 9, 10, 11, 12]]


@pytest.mark.parametrize("limits", [{"batch_size": 7}, {"token_budget": 60}])
@pytest.mark.parametrize("negatives", [2, None])
def test_batches_and_their_parts_never_split_a_group(limits: dict[str, int], negatives: int | None) -> None:
    found = units(negatives)
    whole = {tuple(group.tolist()) for group in found.draw(1, 2)}
    batches = unit_batches(LENGTHS, found, seed=1, epoch=2, **limits)
    pieces = []
    for batch in batches:
        for part in found.cut(batch, 3):
            starts = [*np.flatnonzero(found.begins(part)).tolist(), len(part)]
            pieces += [tuple(part[a:b].tolist()) for a, b in pairwise(starts)]
    assert set(pieces) == whole and len(pieces) == len(whole)
    most = limits.get("batch_size")
    assert most is None or all(len(batch) <= max(most, max(map(len, whole))) for batch in batches)


@pytest.mark.parametrize(
    ("limits", "expected"),
    [({"batch_size": 6}, [3, 6]), ({"batch_size": 8}, [3, 6]), ({"batch_size": 9}, [9]), ({"token_budget": 90}, [9]),
     ({"token_budget": 89}, [3, 6]), ({"token_budget": 30}, [3, 3, 3])],
)  # fmt: skip
def test_a_batch_has_as_many_groups_as_fit(limits: dict[str, int], expected: list[int]) -> None:
    alike = np.full(14, 10)
    batches = unit_batches(alike, units(2), seed=1, epoch=2, **limits)
    assert sorted(map(len, batches)) == expected


def test_a_batch_is_cut_into_parts_of_about_equally_many_groups() -> None:
    groups = np.concatenate(units(2).draw(1, 2))
    assert [list(map(len, units(2).cut(groups, parts))) for parts in (1, 2, 3, 4)] == [[9], [6, 3], [3] * 3, [3] * 3]


def test_of_a_long_document_one_passage_is_drawn() -> None:
    parts = np.cumsum([0, *[3] * 14])
    drawn = [units(2, parts).draw(0, epoch) for epoch in range(10)]
    firsts = {int(groups[0][0]) for groups in drawn}
    assert firsts == {0, 1, 2}
    assert all(units(2, parts).begins(np.concatenate(groups)).sum() == 3 for groups in drawn)


@pytest.mark.parametrize(("count", "taken"), [(1, 3), (4, 3), (5, 5), (8, 5), (9, 9), (100, 9)])
def test_a_sample_has_whole_queries(count: int, taken: int) -> None:
    units = Units(np.array([0, 3, 5, 9]), np.zeros(9, bool), np.ones(9, bool), None)
    assert units.first(count).tolist() == list(range(taken))
