"""Kept answers: computed once, row by row, noticed when damaged, and never taken for those of something else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from data.stores.build_once import SharedCache
from data.stores.teacher_logits import LOGITS, logits_key, open_teacher_logits

PARTS = {"teacher": "weights and config", "texts": "tokens"}


def counted(calls: list[int]) -> Callable[[], np.ndarray]:
    def answer() -> np.ndarray:
        calls.append(1)
        return np.arange(12.0).reshape(6, 2)

    return answer


def test_the_second_call_asks_nobody_and_maps_the_same_rows(tmp_path: Path) -> None:
    calls: list[int] = []
    first = open_teacher_logits(SharedCache(tmp_path), PARTS, counted(calls))
    second = open_teacher_logits(SharedCache(tmp_path), PARTS, counted(calls))
    assert len(calls) == 1
    assert isinstance(second, np.memmap) and second.dtype == np.float32
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(second[[4, 1]], [[8, 9], [2, 3]])
    assert [path.name for path in (tmp_path / "teachers").glob("*.part")] == []


@pytest.mark.parametrize("changed", PARTS)
def test_another_teacher_or_other_texts_have_answers_of_their_own(changed: str) -> None:
    assert logits_key(PARTS) != logits_key(PARTS | {changed: "other"})


def test_a_damaged_row_is_noticed_and_asked_for_again(tmp_path: Path) -> None:
    calls: list[int] = []
    said: list[str] = []
    open_teacher_logits(SharedCache(tmp_path), PARTS, counted(calls))
    path = tmp_path / "teachers" / logits_key(PARTS) / LOGITS
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    found = open_teacher_logits(SharedCache(tmp_path, said.append), PARTS, counted(calls))
    assert len(calls) == 2 and "damaged" in said[0]
    np.testing.assert_array_equal(found[-1], [10, 11])


def test_a_teacher_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    def fail() -> np.ndarray:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        open_teacher_logits(SharedCache(tmp_path), PARTS, fail)
    assert [path.suffix for path in (tmp_path / "teachers").iterdir()] == [".lock"]
