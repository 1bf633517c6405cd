"""SIGKILL at random moments of a sweep: its process, one of its jobs, the tracker's helper, or all at once."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.faults.conftest import TRIES, Row
from tests.faults.scene import DATA, PATIENCE_S, Scene, points, processes, results
from tests.fork_server import Child
from tests.records import read

EVERY_S = 0.3
SLACK_S = 5.0  # a step and the writing of a checkpoint, on a busy machine
SWEEPS = {
    # Training and checkpoints, tuning first, the token store, the vocabulary and the kept states.
    "heads": ("-m", *DATA, "train.epochs=3", "model=bertvision,bert-tiny", "model/backbone=bert-tiny",
              "model.pretrained=null", "seed=0,1,2,3"),
    # Chains with phases, a teacher that is made first, and its kept answers.
    "chains": ("-m", *DATA, "train.epochs=2", "model=dsn", "compression=[distil,magnitude]", "density=0.5",
               "compression.magnitude.matrices=*word_embeddings", "model.width=0.25,0.5", "seed=0,1,2,3",
               "compression.distil.teacher='model=dsn train.epochs=4 optimizer.lr=0.02'"),
}  # fmt: skip


@pytest.mark.parametrize("name", SWEEPS)
def test_sigkill_at_random_moments_of_a_sweep_of_eight(name: str, tmp_path: Path, row: Row) -> None:
    words = (*SWEEPS[name], "sweep.jobs=2", f"checkpoint.every_s={EVERY_S}")
    straight = Scene(tmp_path / "straight", words)
    begun = time.monotonic()
    straight.finish("tracker=none")
    seconds, expected = time.monotonic() - begun, results(straight.output)
    chance, left = random.Random(f"{name} {TRIES}"), TRIES // len(SWEEPS)
    while left:
        broken = Scene(tmp_path / "broken", words, "tests.runner.sweep.faulty", {"SLOW_S": "0.02"})
        while left and (kills := attempt(broken, chance, seconds / 2, left, row)):
            left, row.tries = left - kills, row.tries + kills
        broken.finish("tracker=none")
        broken.check(expected)
        Scene(broken.folder, ("sync",)).finish()
        assert states(broken.output / "mlflow.db") == {"FINISHED"}
        broken.remove()


def states(database: Path) -> set[str]:
    """Return the end states of all runs in MLflow."""
    with sqlite3.connect(database) as store:
        return {state for (state,) in store.execute("select status from runs")}


def attempt(scene: Scene, chance: random.Random, seconds: float, most: int, row: Row) -> int:
    """Start the command and kill its processes until it is gone; return the number of kills, 0 if it finished."""
    command, kills = scene.start(f"tracker={chance.choice(['none', 'none', 'mlflow'])}"), 0
    while kills < most and not ended(command, chance.uniform(0.0, seconds)):
        victims = choose(scene, command, chance)
        for pid in victims:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        row.lost_s = max(row.lost_s, lost(scene))
        kills += 1
        if command.pid in victims:
            break
    code, said = command.wait(PATIENCE_S), "".join(command.communicate())
    assert kills or code == 0, said
    scene.wait_for_silence()
    return kills


def ended(command: Child, seconds: float) -> bool:
    """Wait for the given time: has the process ended?"""
    try:
        command.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def choose(scene: Scene, command: Child, chance: random.Random) -> list[int]:
    """Choose the victims: all processes, the sweep's own, one of its jobs, or the tracker's helper."""
    there = processes(scene.folder)
    helpers = [pid for pid in there if b"runner.track.process" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    jobs = [pid for pid in there if pid not in (*helpers, command.pid)]
    (kind,) = chance.choices(["all", "command", "job", "helper"], [2, 3, 4, 1])
    if kind == "all":
        return there
    few = {"command": [command.pid], "job": jobs, "helper": helpers}[kind] or [command.pid]
    return [chance.choice(few)]


def lost(scene: Scene) -> float:
    """Return the seconds of work that a kill would lose: from the newest checkpoint to the last step of an open run."""
    found = [0.0]
    for path in scene.output.glob("*/record.json"):
        folder = path.parent
        if (read(folder) or {})["status"] == "running" and (folder / "metrics.jsonl").is_file():
            saved = [path, *folder.glob("checkpoints/step-*.json"), *folder.glob("boundaries/step-*.json")]
            with suppress(IndexError, FileNotFoundError, ValueError):
                found.append(points(folder)[-1]["time"] - max(one.stat().st_mtime for one in saved))
    assert max(found) < EVERY_S + SLACK_S
    return max(found)
