"""Threads are set, never inherited: before torch is imported where possible, and recorded with the run.

Measured (engine notes): four runs on one thread each do 3.97x the work of one, one run on four threads 1.64x,
and four runs on four threads each 0.04x.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.schema import Settings

WIDE = 256  # up to this hidden size one thread is near the best throughput per core
MOST = 4  # beyond this a small encoder gains little


def cores() -> int:
    """Processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def choose_threads(settings: Settings, jobs: int = 1) -> int:
    """CPU threads for one of `jobs` runs side by side: 1 without an encoder or up to 256 wide, else up to 4."""
    model = settings.model
    if model.family == "dsn" or (model.family == "bert" and model.hidden <= WIDE):
        return 1
    return max(1, min(MOST, cores() // jobs))


def set_threads(count: int) -> None:
    """Fix the threads of every library: by environment for what is not loaded yet, by call for torch."""
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"):
        os.environ[name] = str(count)
    os.environ["TOKENIZERS_PARALLELISM"] = "true" if count > 1 else "false"
    if "torch" in sys.modules:
        import torch

        torch.set_num_threads(count)
