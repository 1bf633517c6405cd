from __future__ import annotations

from pathlib import Path

import pytest

from runner.best.clock import Clock
from runner.best.journal import JOURNAL, Journal
from runner.best.types import Done

LINES = [Done(1, "done", "a", score=0.5, clock=3.0), Done(2, "skipped", reason="behind", clock=3.0)]


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "search")
    for line in LINES:
        journal.add(line)
    again = Journal(tmp_path / "search")
    assert list(again.ended.values()) == LINES and again.elapsed == 3.0


@pytest.mark.parametrize("tail", [b'{"step": 3, "sta', b'{"step": 3, "status": "done"}', b"null\n", b"\xff\xfe\n"])
def test_a_damaged_end_is_cut_off_and_its_step_is_done_again(tmp_path: Path, tail: bytes) -> None:
    journal = Journal(tmp_path)
    for line in LINES:
        journal.add(line)
    with (tmp_path / JOURNAL).open("ab") as stream:
        stream.write(tail)
    again = Journal(tmp_path)
    assert list(again.ended.values()) == LINES
    again.add(Done(3, "done"))
    assert list(Journal(tmp_path).ended) == [1, 2, 3]


def test_a_last_training_on_all_rows_is_no_step_of_a_candidate(tmp_path: Path) -> None:
    Journal(tmp_path).add(Done(9, "done", "b", candidate="ngram", clock=7.0))
    again = Journal(tmp_path)
    assert again.ended == {} and again.finals["ngram"].run == "b" and again.elapsed == 7.0


def test_a_clock_that_is_set_back_gives_no_time_back() -> None:
    times = iter([100.0, 110.0, 50.0, 60.0])
    clock = Clock(before=5.0, tell=lambda: next(times))
    assert [clock.elapsed() for _ in range(3)] == [15.0, 15.0, 25.0]
