"""`run best` as a user meets it: real processes, a hand-made plan of two n-gram models."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.conftest import run_cli
from tests.fork_server import Child, environment_of, fork_server

WORDS = ("best", "data=demo", "data.demo_rows=200", "tracker=none", "max_kb=100", "steps=2", "measure=off", "jobs=1")
FOLDER = Path("outputs/sweeps/0123456789")
MODULE = "tests.runner.best.planned"


def start(cwd: Path, *words: str, **env: str) -> Child:
    return fork_server().start(MODULE, [*WORDS, *words], cwd, environment_of(env))


def search(cwd: Path, *words: str) -> tuple[int, str]:
    child = start(cwd, *words)
    out, err = child.communicate(240)
    return child.wait(), out + err


def answer_of(cwd: Path) -> tuple[str, str]:
    found = json.loads((cwd / FOLDER / "best.json").read_text(encoding="utf-8"))
    return found["winner"], found["sha256"]


def test_the_same_steps_give_the_same_file_in_any_folder_and_after_a_kill(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for folder in (whole, killed):
        folder.mkdir()
    child = start(killed, SLOW_S="30")  # between the steps
    end = time.monotonic() + 120
    while not (killed / FOLDER / "journal.jsonl").exists():
        assert time.monotonic() < end
        time.sleep(0.05)
    child.send_signal(signal.SIGKILL)
    child.wait()
    code, told = search(whole)
    assert code == 0, told
    assert search(killed)[0] == 0
    assert answer_of(whole) == answer_of(killed)
    runs = json.loads((whole / FOLDER / "sweep.json").read_text(encoding="utf-8"))["runs"]
    assert [run["status"] for run in runs] == ["done", "done"]
    before = {path: path.stat().st_mtime_ns for path in (whole / "outputs").rglob("record.json")}
    assert search(whole)[0] == 0  # nothing is trained
    assert {path: path.stat().st_mtime_ns for path in (whole / "outputs").rglob("record.json")} == before
    predict = [str(whole / FOLDER / "bundle" / "predict.py"), "a lovely film"]
    assert subprocess.run(["python3", *predict], capture_output=True, check=False).returncode == 0
    assert "model.max_kb=20" in run_cli("compare", "0123456789", cwd=whole).stdout


@pytest.mark.parametrize("words", [("seed=0,1",), ("max_kb=0",), ("model=dsn",)])
def test_a_mistake_is_exit_code_2_and_writes_nothing(tmp_path: Path, words: tuple[str, ...]) -> None:
    assert run_cli("best", "data=demo", *words, cwd=tmp_path).returncode == 2
    assert not list(tmp_path.iterdir())
