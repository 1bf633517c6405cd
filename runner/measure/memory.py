"""Peak memory of this process in bytes, as the operating system and torch counted it."""

from __future__ import annotations

import gc
import sys
from contextlib import suppress
from pathlib import Path


def peak_resident_bytes() -> int | None:
    """Return the largest resident memory of this process, since it started or since `restart_peak`; None: unknown.

    It covers everything the process did: data, training and model.
    """
    # Not ru_maxrss on Linux: a child starts with the peak of the process that launched it, so that small
    # runs of one sweep would all report the memory of their parent.
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
    """Count the largest memory from here on, where the system can: what came before belongs to another run."""
    gc.collect()
    with suppress(OSError):  # proc(5): 5 sets the peak to what is resident now; no other system has this file
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.reset_peak_memory_stats()


def peak_gpu_bytes() -> int | None:
    """Return the largest memory torch held on the current GPU; None where no GPU was used."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return None
    return int(torch.cuda.max_memory_allocated()) or None
