"""Who may use the machine: while one process times, all others stand still, and nobody who dies keeps it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.conftest import REPO

WORKER = """
import sys, time
from pathlib import Path
from runner.machine.exclusive import Exclusive
exclusive = Exclusive()
exclusive.enter(Path(sys.argv[1]))
began, last = time.perf_counter(), 0.0
while True:
    exclusive.yield_to_timing()
    with open(sys.argv[2], "a") as steps:
        steps.write(f"{time.time()} {time.perf_counter() - began - (exclusive.clock() - began)}\\n")
    time.sleep(0.002)
"""
TIMER = """
import sys, time
from pathlib import Path
from runner.machine.exclusive import Exclusive
exclusive = Exclusive()
exclusive.enter(Path(sys.argv[1]))
with exclusive.exclusive_timing(print):
    print(time.time(), flush=True)
    time.sleep(float(sys.argv[2]))
    print(time.time(), flush=True)
"""
WAITS = """
import sys
from pathlib import Path
from data.stores.build_once import SharedCache
from runner.machine.exclusive import Exclusive
exclusive = Exclusive()
exclusive.enter(Path(sys.argv[1]))
print("at work", flush=True)
SharedCache(Path(sys.argv[1]), waiting=exclusive.waiting).open_or_build(
    Path(sys.argv[2]), lambda folder: folder.name, lambda folder: None, damaged=""
)
exclusive.yield_to_timing()
print("built", flush=True)
"""


def start(code: str, *words: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *map(str, words)]
    return subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(REPO)}, stdout=subprocess.PIPE, text=True)


def steps(path: Path) -> list[tuple[float, float]]:
    """(moment, seconds stood still until then) of each step a worker made."""
    lines = path.read_text().splitlines() if path.exists() else []
    return [(float(line.split()[0]), float(line.split()[1])) for line in lines]


def test_while_one_process_measures_times_the_others_pause_and_their_clocks_stop(tmp_path: Path) -> None:
    logs = [tmp_path / f"{number}.txt" for number in range(3)]
    workers = [start(WORKER, tmp_path, log) for log in logs]
    try:
        while not all(steps(log) for log in logs):
            time.sleep(0.01)
        timers = [start(TIMER, tmp_path, 0.4) for _ in range(2)]
        windows = [tuple(map(float, timer.communicate(timeout=30)[0].split())) for timer in timers]
        time.sleep(0.3)
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate()
    windows.sort()
    assert windows[0][1] <= windows[1][0], "two that time take turns"
    for log in logs:
        made = steps(log)
        for begin, end in windows:
            assert not [moment for moment, _ in made if begin < moment < end]
        assert made[-1][0] > windows[1][1], "and goes on afterwards"
        assert made[-1][1] > 0.7 and made[0][1] < 0.1, "standing still is no time of theirs"


def test_a_process_that_dies_releases_its_locks_at_once(tmp_path: Path) -> None:
    log = tmp_path / "steps.txt"
    stopped = start(WORKER, tmp_path, log)
    while not steps(log):
        time.sleep(0.01)
    os.kill(stopped.pid, signal.SIGSTOP)  # at work, and not going to step aside
    timer = start(TIMER, tmp_path, 60)
    time.sleep(1.0)
    assert timer.poll() is None
    stopped.kill()
    stopped.communicate()
    assert timer.stdout is not None and float(timer.stdout.readline())
    timer.kill()
    timer.communicate()
    next_one = start(TIMER, tmp_path, 0)
    assert len(next_one.communicate(timeout=20)[0].split()) == 2


def test_a_process_that_waits_to_measure_times_says_so_after_a_while(tmp_path: Path) -> None:
    log = tmp_path / "steps.txt"
    stopped = start(WORKER, tmp_path, log)
    while not steps(log):
        time.sleep(0.01)
    os.kill(stopped.pid, signal.SIGSTOP)
    first = start(TIMER.replace("print(time.time(), flush=True)", ""), tmp_path, 1.0)
    time.sleep(0.5)
    second = start(TIMER.replace("print(time.time(), flush=True)", ""), tmp_path, 0)
    time.sleep(4.0)
    stopped.kill()
    stopped.communicate()
    said = [one.communicate(timeout=20)[0].strip() for one in (first, second)]
    assert said == ["waiting for other runs to pause, at most three minutes", "waiting: another run is being timed"]


def test_a_process_that_waits_for_another_to_build_something_is_not_active(tmp_path: Path) -> None:
    """Else whoever times would wait for one that waits for a third, which stands still: three minutes of nothing."""
    from filelock import FileLock

    held = FileLock(tmp_path / "answers.lock")
    held.acquire()
    waits = start(WAITS, tmp_path, tmp_path / "answers")
    assert waits.stdout is not None and waits.stdout.readline() == "at work\n"
    time.sleep(0.3)
    begun, timer = time.monotonic(), start(TIMER, tmp_path, 0.1)
    said = timer.communicate(timeout=60)[0]
    assert len(said.split()) == 2 and time.monotonic() - begun < 60, said
    held.release()
    assert waits.communicate(timeout=60)[0] == "built\n"
