"""The end of a job's log."""

from __future__ import annotations

from pathlib import Path

from runner.sweep.job_log import LINE, last_log_lines


def test_the_last_lines_are_shown_and_long_ones_are_cut(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    log.write_text("\n".join(["first", "second", "x" * 1000]), encoding="utf-8")
    assert last_log_lines(log, 2).splitlines() == ["second", "x" * LINE]


def test_a_crash_is_shown_from_its_innermost_call(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    log.write_text("step 1\nFatal Python error: Segmentation fault\nin string_at\nin step\nin main", encoding="utf-8")
    assert last_log_lines(log, 2).splitlines() == ["Fatal Python error: Segmentation fault", "in string_at"]


def test_a_log_that_is_not_there_has_no_lines(tmp_path: Path) -> None:
    assert last_log_lines(tmp_path / "none.txt", 3) == ""
