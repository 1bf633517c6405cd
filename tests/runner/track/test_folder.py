"""A run folder as the mirror reads it: whole lines, a valid record, and its own state or none."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.track.errors import TrackError
from runner.track.folder import (
    MirrorState,
    flatten_as_text,
    milliseconds,
    note_problem,
    read_points,
    read_state,
    record_to_mirror,
    write_state,
)
from tests.runner.track.folders import add_points, write_record


def test_a_line_that_is_still_being_written_waits(tmp_path: Path) -> None:
    add_points(tmp_path, range(1, 3))
    with (tmp_path / "metrics.jsonl").open("a", encoding="utf-8") as stream:
        stream.write('{"step": 3')
    points = read_points(tmp_path)
    assert [point["step"] for point in points.parsed()] == [1, 2] and len(points.parsed(1)) == 1
    assert points.crc(1) != points.crc(2)


def test_a_folder_without_a_valid_record_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrackError, match="is not a run folder"):
        record_to_mirror(tmp_path)
    write_record(tmp_path, status="finished")
    with pytest.raises(TrackError, match=r"status is 'finished', expected one of .*Repair it"):
        record_to_mirror(tmp_path)
    assert record_to_mirror(write_record(tmp_path)).metrics["test/accuracy"] == 0.75


def test_the_state_comes_back_and_a_damaged_one_counts_as_none(tmp_path: Path) -> None:
    state = MirrorState(run_id="1", uri="sqlite:///x", points=3, points_crc=7)
    write_state(tmp_path, state)
    note_problem(tmp_path, "no answer")
    state.problem = "no answer"
    assert read_state(tmp_path) == state
    (tmp_path / "mlflow.json").write_text('{"points": "three"}', encoding="utf-8")
    assert read_state(tmp_path) == MirrorState()


def test_nested_settings_become_dotted_text() -> None:
    config = {"a": {"b": None, "c": [1, 2]}, "d": "x", "e": {}}
    assert dict(flatten_as_text(config)) == {"a.b": "null", "a.c": "[1, 2]", "d": "x", "e": "{}"}


@pytest.mark.parametrize(
    ("when", "expected"),
    [("1970-01-01T00:00:01+00:00", 1000), ("1970-01-01T00:00:01", 1000), ("yesterday", None), (None, None)],
)
def test_times_without_a_zone_are_utc(when: str | None, expected: int | None) -> None:
    assert milliseconds(when) == expected
