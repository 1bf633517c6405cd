"""Full and read-only disks: the command is refused in one line, and succeeds once there is room."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.conftest import TRIES, Row
from tests.faults.fault_damage import CHAIN, interrupted
from tests.faults.scene import Scene, results
from tests.records import records

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
NEEDS_KB = {"outputs": 4000, "cache": 100}  # about


@contextmanager
def disk(folder: Path, kilobytes: int) -> Iterator[None]:
    """Mount a disk of the given size at `folder`."""
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "none", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def remount(folder: Path, how: str) -> None:
    """Change the disk at `folder`: another size, ro or rw."""
    subprocess.run(["mount", "-o", f"remount,{how}", folder], check=True)


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Run the command on a disk that is large enough."""
    scene = Scene(tmp_path_factory.mktemp("straight"), CHAIN)
    scene.finish()
    return scene


def refused(scene: Scene) -> None:
    """Check that the command ends with one clear message and leaves no finished run."""
    code, said = scene.run("checkpoint.every_s=0.05")
    assert code in (0, 1, 2) and "Traceback" not in said, said
    if code:
        assert any(word in said for word in ("No space left", "Read-only", "cannot be written")), said
        assert all(
            record["status"] != "done" for record in records(scene.output) if len(record["config"]["compression"]) == 3
        )


@pytest.mark.parametrize("place", NEEDS_KB)
def test_a_disk_that_is_full_at_some_moment(place: str, straight: Scene, tmp_path: Path, row: Row) -> None:
    chance = random.Random(place)
    for number in range(max(1, TRIES // 10)):
        scene = Scene(tmp_path / str(number), CHAIN)
        with disk(scene.folder / place, chance.randint(8, NEEDS_KB[place])):
            refused(scene)
            row.tries += 1
            remount(scene.folder / place, "size=100m")
            scene.finish()
            scene.check(results(straight.output))


@pytest.mark.parametrize("place", NEEDS_KB)
def test_a_folder_that_may_only_be_read(place: str, straight: Scene, tmp_path: Path, row: Row) -> None:
    for number in range(max(1, TRIES // 20)):
        scene = Scene(tmp_path / str(number), CHAIN, "tests.runner.sweep.faulty", {"SLOW_S": "0.05"})
        with disk(scene.folder / place, 100_000):
            if number % 2:
                interrupted(scene, 3)
            remount(scene.folder / place, "ro")
            refused(scene)
            row.tries += 1
            remount(scene.folder / place, "rw")
            scene.finish()
            scene.check(results(straight.output))
