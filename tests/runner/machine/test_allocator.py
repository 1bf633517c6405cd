"""Freed memory is kept between steps, and given back where little is left."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from runner.machine import allocator
from runner.machine.allocator import MemoryGuard, c_library, free_share

# Blocks of many sizes are freed while others stay, so that the heap has gaps that no trimming at its end returns.
GAPS = """
from pathlib import Path
from runner.machine import allocator
def resident(): return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
allocator.CHECKED_EVERY_S = 0.0
assert allocator.keep_memory()
blocks = [bytearray(b"1" * size * 50_000) for size in range(1, 60)]
held = blocks[::8]
del blocks
before = resident()
guard = allocator.MemoryGuard()
allocator.free_share = lambda: 0.5
assert not guard()
allocator.free_share = lambda: 0.1
assert guard()
print(before - resident())
"""


def files(folder: Path, monkeypatch: pytest.MonkeyPatch, meminfo: str, **container: str) -> None:
    """Put files of these contents in the place of those that the system tells its memory in."""
    (folder / "meminfo").write_text(meminfo)
    for name, content in container.items():
        (folder / f"memory.{name}").write_text(content)
    monkeypatch.setattr(allocator, "MEMORY", folder / "meminfo")
    monkeypatch.setattr(allocator, "CONTAINER", folder)


@pytest.mark.skipif(c_library() is None, reason="not glibc")
def test_gaps_in_the_heap_are_given_back_only_where_memory_is_scarce() -> None:
    ended = subprocess.run([sys.executable, "-c", GAPS], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) > 40_000_000


def test_the_smaller_share_of_machine_and_container_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = "MemTotal:  1000 kB\nMemAvailable:  400 kB\n"
    files(tmp_path, monkeypatch, told)
    assert free_share() == 0.4
    files(tmp_path, monkeypatch, told, max="max\n")
    assert free_share() == 0.4
    files(tmp_path, monkeypatch, told, max="1000", current="900", stat="anon 700\ninactive_file 100\n")
    assert free_share() == pytest.approx(0.2)


def test_a_system_that_tells_nothing_has_all_its_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files(tmp_path, monkeypatch, "nonsense")
    assert free_share() == 1.0


def test_memory_is_looked_up_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    def never() -> float:
        raise AssertionError("too early")

    monkeypatch.setattr(allocator, "free_share", never)
    assert not MemoryGuard()()
