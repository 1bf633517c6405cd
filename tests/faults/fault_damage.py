"""Damage each file of an interrupted run and of its cache, in several ways, and resume the run."""

from __future__ import annotations

import os
import random
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

from tests.faults.conftest import TRIES, Row
from tests.faults.scene import DATA, PATIENCE_S, Scene, results, wait_for
from tests.records import records

CHAIN = (*DATA, "train.epochs=3", "model=bert-tiny", "model.pretrained=null", "model.hidden=32",
         "compression=[distil,magnitude,int8]", "density=0.5", "seed=5", "tracker=none",
         "compression.distil.teacher='model=dsn train.epochs=4 optimizer.lr=0.02'")  # fmt: skip
HEAD = (*DATA, "train.epochs=3", "model=bertvision", "model/backbone=bert-tiny", "model.pretrained=null",
        "seed=5", "tracker=none")  # fmt: skip
IGNORED = (".lock", ".csv", ".txt", ".log")  # locks, the user's own file, and what is only read by people


def cut(path: Path) -> None:
    """Cut the file in half."""
    os.truncate(path, path.stat().st_size // 2)


def flip(path: Path) -> None:
    """Flip one bit in the middle."""
    content = bytearray(path.read_bytes())
    if content:
        content[len(content) // 2] ^= 4
    path.write_bytes(content)


def empty(path: Path) -> None:
    """Empty the file, as a power cut may."""
    os.truncate(path, 0)


def remove(path: Path) -> None:
    """Delete the file."""
    path.unlink()


DAMAGE: list[Callable[[Path], None]] = [cut, flip, empty, remove]


def interrupted(scene: Scene, runs: int) -> None:
    """Kill the command once the last of `runs` runs has begun and a checkpoint is there."""
    command = scene.start("checkpoint.every_s=0.05")
    wait_for(lambda: len(list(scene.output.glob("*/record.json"))) == runs and saved(scene), PATIENCE_S)
    os.kill(command.pid, signal.SIGKILL)
    command.wait()


def saved(scene: Scene) -> list[Path]:
    """Return the checkpoints of all runs."""
    return list(scene.output.glob("*/checkpoints/*.json"))


def spoil(scene: Scene, row: Row, tries: int) -> None:
    """Damage one file of an interrupted run at a time, and resume it."""
    straight = Scene(scene.folder.with_name("straight"), scene.words)
    straight.finish()
    expected, whole = results(straight.output), scene.folder.with_name("whole")
    scene.folder.rename(whole)
    done = {record["identity"] for record in records(whole / "outputs") if record["status"] == "done"}
    files = [path.relative_to(whole) for path in sorted(whole.rglob("*")) if path.is_file()]
    files = [path for path in files if not done & set(path.parts)]  # what is finished is the user's
    chances = [(file, damage) for file in files if file.suffix not in IGNORED for damage in DAMAGE]
    chances.remove((next(file for file in files if file.name == "record.json"), flip))  # people may read and repair it
    chance = random.Random(tries)
    bugs = []
    for file, damage in chance.sample(chances, min(tries, len(chances))):
        shutil.copytree(whole, scene.folder)
        damage(scene.folder / file)
        row.tries += 1
        try:
            scene.finish()
            scene.check(expected)
        except AssertionError as error:
            bugs.append(f"{damage.__name__} {file}: {error}")
        shutil.rmtree(scene.folder)
    assert not bugs, "\n".join(bugs)


def test_a_damaged_file_of_an_interrupted_chain_or_of_its_cache(tmp_path: Path, row: Row) -> None:
    scene = Scene(tmp_path / "broken", CHAIN, "tests.runner.sweep.faulty", {"SLOW_S": "0.05"})
    interrupted(scene, 3)  # a teacher, its student, and the pruning of that
    scene.environment = {}
    spoil(scene, row, TRIES)


def test_a_damaged_file_of_an_interrupted_head_or_of_its_cache(tmp_path: Path, row: Row) -> None:
    scene = Scene(tmp_path / "broken", HEAD, "tests.runner.sweep.faulty", {"SLOW_S": "0.05"})
    interrupted(scene, 2)  # an encoder, and its head
    scene.environment = {}
    spoil(scene, row, TRIES)
