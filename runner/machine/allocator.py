"""Memory of the C library: kept between training steps, returned to the system when the machine runs short."""

from __future__ import annotations

import ctypes
import os
import sys
import time
from functools import cache
from pathlib import Path

from runner.machine.threads import has_short_steps

# glibc's mallopt parameters (malloc.h)
TRIM_THRESHOLD, MMAP_MAX = -1, -4
LARGEST_INT = 2**31 - 1

# Compiled kernels that oneDNN caches for models with long steps; its default is 1024. A kernel takes 0.3 MB and 0.3 ms
# to compile; a step of MiniLM needs some 20 for the length of its batch.
KERNELS = "256"

LEAST_FREE = 0.25  # share of the machine's memory, or of the container's
CHECKED_EVERY_S = 1.0
MEMORY = Path("/proc/meminfo")
CONTAINER = Path("/sys/fs/cgroup")  # of cgroup v2


@cache
def c_library() -> ctypes.CDLL | None:
    """Return the C library of this process, where it is glibc."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        library = ctypes.CDLL(None)
        return library if library.mallopt and library.malloc_trim else None
    except (OSError, AttributeError):
        return None


def keep_memory() -> bool:
    """Let the C library keep freed memory for the next step; returns whether it does so now.

    Otherwise glibc hands large tensors back to the system each time, and every page of the next is cleared and mapped
    again: 1.08x on the steps of bert-tiny on short texts, 1.2x on long ones. Without glibc nothing is changed.
    """
    library = c_library()
    return bool(library and library.mallopt(MMAP_MAX, 0) and library.mallopt(TRIM_THRESHOLD, LARGEST_INT))


def bound_kernels(family: str, hidden: int) -> None:
    """Limit how many compiled kernels, one per shape of a product, are cached; call it before the first product.

    oneDNN, which multiplies bf16 and on AMD processors fp32 too, caches 1024 of them, and torch caches as many of each
    kind. MiniLM took 12 MB more for each length of a batch, in pieces between the tensors of a step, which then fitted
    into no gap. Torch's cache saves no time. Results do not change. Environment variables that the user has set are
    kept; both are read once per process, so its first run decides. family, hidden: of the model's settings.
    """
    os.environ.setdefault("LRU_CACHE_CAPACITY", "1")
    if not has_short_steps(family, hidden):
        os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", KERNELS)


class MemoryGuard:
    """Gives freed memory back to the system while little is left: call it once a batch.

    Batches of many lengths leave gaps of many sizes in memory that is kept. MiniLM on texts of up to 512 tokens, 32 a
    batch, grew from 7 to 15 GB in 90 steps. What is computed does not change.
    """

    def __init__(self) -> None:
        self.checked = time.monotonic()

    def __call__(self) -> bool:
        """Give memory back if little is left, checked once a second; return whether it was given back."""
        now = time.monotonic()
        if now - self.checked < CHECKED_EVERY_S:
            return False
        self.checked = now
        library = c_library()
        return library is not None and free_share() < LEAST_FREE and bool(library.malloc_trim(0))


def free_share() -> float:
    """Return the share of memory that is free for this process, 0..1: of the machine or the container, whichever is
    smaller.

    1.0 if the system does not report it.
    """
    try:
        facts = dict(line.split(":", 1) for line in MEMORY.read_text(encoding="ascii").splitlines())
        share = _kilobytes(facts["MemAvailable"]) / _kilobytes(facts["MemTotal"])
    except (OSError, ValueError, KeyError):
        share = 1.0
    return min(share, _free_share_of_container())


def _free_share_of_container() -> float:
    """Return the share that is free of the memory that the container may use; 1.0 without a limit.

    Files that were read and are not in use count as free: the system drops them first.
    """
    try:
        limit = int((CONTAINER / "memory.max").read_text(encoding="ascii"))  # "max": no limit
        used = int((CONTAINER / "memory.current").read_text(encoding="ascii"))
        kinds = dict(line.split() for line in (CONTAINER / "memory.stat").read_text(encoding="ascii").splitlines())
        return 1.0 - (used - int(kinds["inactive_file"])) / limit
    except (OSError, ValueError, KeyError, ZeroDivisionError):
        return 1.0


def _kilobytes(value: str) -> int:
    """Return the number of an entry such as `  1024 kB`."""
    return int(value.split()[0])
