"""Trouble with the machine: its clock jumps back, its memory runs out, two people give the same command at once."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

from tests.faults.conftest import TRIES, Row
from tests.faults.scene import PATIENCE_S, SMALL, Scene, results
from tests.records import records

SWEEP = ("-m", *SMALL, "seed=0,1,2,3", "sweep.jobs=2")
FAULTY = "tests.runner.sweep.faulty"


def test_a_clock_that_jumps_back_an_hour(tmp_path: Path, row: Row) -> None:
    straight = Scene(tmp_path / "straight", (*SMALL, "seed=5"))
    straight.finish()
    scene = Scene(tmp_path / "broken", (*SMALL, "seed=5", "checkpoint.every_s=0.05"), "tests.faults.clock")
    scene.finish()
    row.tries += 1
    (record,) = records(scene.output)
    assert record["ended"] < record["started"], "it did jump"
    assert all(value >= 0 for name, value in record["metrics"].items() if name.startswith("time/"))
    assert results(scene.output) == results(straight.output)


def test_a_job_that_runs_out_of_memory(tmp_path: Path, row: Row) -> None:
    straight = Scene(tmp_path / "straight", SWEEP)
    straight.finish()
    scene = Scene(tmp_path / "broken", (*SWEEP, "sweep.memory_gb=1.2"), FAULTY, {"HOARD": "2"})
    code, said = scene.run()
    row.tries += 1
    assert code == 1 and "out of memory" in said
    scene.environment = {}
    scene.finish()
    scene.check(results(straight.output))


def test_two_people_who_start_one_sweep_and_one_of_them_dies(tmp_path: Path, row: Row) -> None:
    straight = Scene(tmp_path / "straight", SWEEP)
    begun = time.monotonic()
    straight.finish()
    seconds, expected = time.monotonic() - begun, results(straight.output)
    chance = random.Random(TRIES)
    for number in range(max(1, TRIES // 20)):
        scene = Scene(tmp_path / str(number), (*SWEEP, "checkpoint.every_s=0.1"), FAULTY, {"SLOW_S": "0.05"})
        both = [scene.start(), scene.start()]
        time.sleep(chance.uniform(0.0, 2 * seconds))
        first, second = chance.sample(both, 2)
        if number % 2:
            os.kill(first.pid, signal.SIGKILL)
        row.tries += 1
        out, err = second.communicate(PATIENCE_S)
        first.wait(PATIENCE_S)
        assert second.wait() in (0, 1), out + err  # 1: a job of the dead one was the only one left, and was killed
        scene.finish()
        scene.check(expected)
