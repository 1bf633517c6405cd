"""A record that says `running` is closed where no process holds its folder, and only there."""

from __future__ import annotations

import threading
from pathlib import Path

from filelock import FileLock

from runner.record.abandoned import close_all, held, is_held
from runner.record.json_files import write_json
from tests.records import read, record_json


def run(output: Path, identity: str, status: str) -> Path:
    """Write a record with that status."""
    folder = output / identity
    folder.mkdir()
    write_json(folder / "record.json", {"schema_version": 1, "status": status} | record_json(status=status))
    return folder


def test_dead_runs_are_closed_and_living_and_finished_ones_are_left_alone(tmp_path: Path) -> None:
    dead, living, done = (run(tmp_path, n, s) for n, s in (("a", "running"), ("b", "running"), ("c", "done")))
    with FileLock(living / ".lock"):
        assert is_held(living) and not is_held(dead)
        assert close_all(tmp_path) == [dead]
    closed = read(dead) or {}
    assert closed["status"] == "killed" and "its process ended" in closed["reason"] and closed["ended"]
    assert (read(living) or {})["status"] == "running" and (read(done) or {})["status"] == "done"
    assert close_all(tmp_path / "nowhere") == []


def test_a_folder_that_is_held_is_alive_and_a_second_process_waits_for_it(tmp_path: Path) -> None:
    folder, order = run(tmp_path, "a", "running"), list[str]()

    def second() -> None:
        with held(folder):
            order.append("second")

    with held(folder):
        thread = threading.Thread(target=second)
        thread.start()
        assert close_all(tmp_path) == []
        thread.join(0.3)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]
    with held(tmp_path / "new"):
        assert (tmp_path / "new").is_dir()
