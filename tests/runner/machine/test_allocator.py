"""Freed memory is kept between steps, and given back where little is left."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runner.machine import allocator
from runner.machine.allocator import MemoryGuard, bound_kernels, c_library, free_share

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

# Products of 600 shapes: as each is kept compiled, twice 0.29 MB of memory stay in use.
SHAPES = """
import ctypes
import torch
from runner.machine.allocator import bound_kernels
bound_kernels("bert", 384)
class Use(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in ("a", "b", "c", "d", "mapped", "e", "f", "used", "g", "h")]
look = ctypes.CDLL(None).mallinfo2
look.restype = Use
def used(): return look().used + look().mapped
rows, weight = torch.randn(610, 32).bfloat16(), torch.randn(32, 32).bfloat16()
first = torch.nn.functional.linear(rows[:5], weight)
before = used()
for count in range(10, 610):
    torch.nn.functional.linear(rows[:count], weight)
assert torch.equal(torch.nn.functional.linear(rows[:5], weight), first)
print(used() - before)
"""


def files(folder: Path, monkeypatch: pytest.MonkeyPatch, meminfo: str, **container: str) -> None:
    """Put files of these contents in place of those that the system tells its memory in."""
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


@pytest.mark.skipif(not hasattr(c_library(), "mallinfo2"), reason="needs glibc 2.33")
def test_many_shapes_of_bf16_products_hold_no_more_memory_than_a_few(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LRU_CACHE_CAPACITY", "ONEDNN_PRIMITIVE_CACHE_CAPACITY"):
        monkeypatch.delenv(name, raising=False)  # a run in this process may have set them
    ended = subprocess.run([sys.executable, "-c", SHAPES], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) < 100_000_000


def test_short_steps_keep_their_kernels_and_what_the_user_has_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LRU_CACHE_CAPACITY", "ONEDNN_PRIMITIVE_CACHE_CAPACITY"):
        monkeypatch.setenv(name, "7")
        monkeypatch.delenv(name)  # whatever is set below is undone
    bound_kernels("bert", 128)
    assert os.environ["LRU_CACHE_CAPACITY"] == "1" and "ONEDNN_PRIMITIVE_CACHE_CAPACITY" not in os.environ
    monkeypatch.setenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "9")
    bound_kernels("bert", 768)
    assert os.environ["ONEDNN_PRIMITIVE_CACHE_CAPACITY"] == "9"


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
