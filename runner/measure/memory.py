"""Peak memory of this process in bytes, as counted by the operating system and torch."""

from __future__ import annotations

import gc
import sys
from contextlib import suppress
from pathlib import Path


def peak_resident_bytes() -> int | None:
    """Return the peak resident memory of this process, since it started or since `restart_peak`; None: unknown.

    It covers everything the process did: data, training and model.
    """
    # Not ru_maxrss on Linux: a child process inherits the peak of its parent, so small runs of one sweep would all
    # report the memory of their parent.
    status = Path("/proc/self/status")
    lines = status.read_text(encoding="ascii", errors="replace").splitlines() if status.is_file() else []
    for line in lines:
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    try:
        import resource
    except ImportError:  # Windows has no such counter in the standard library
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # macOS counts bytes, Linux KiB


def restart_peak() -> None:
    """Reset the peak, if the system supports it, so that an earlier run in this process does not count."""
    gc.collect()
    with suppress(OSError):  # proc(5): 5 resets the peak to the current resident memory; only Linux has this file
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.reset_peak_memory_stats()


def peak_gpu_bytes() -> int | None:
    """Return the peak memory that torch allocated on the current GPU; None if no GPU was used."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return None
    return int(torch.cuda.max_memory_allocated()) or None
