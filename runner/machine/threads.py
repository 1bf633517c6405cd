"""Sets the number of threads, never inherits it: before torch is imported if possible, and recorded with the run.

Measured on four cores, examples/s on 1, 2 and 4 threads: bert-tiny 2439, 3318, 4159 on sentences and 160, 271, 480 on
long texts, bert-mini 390, 654, 1008; a DSN gains nothing. With two other busy processes bert-tiny reaches 2700 on one
thread and 37 on four, which wait for one another. Four runs on one thread each do 3.97x the work of one.
"""

from __future__ import annotations

import os
import sys

from runner.machine.facts import usable_cores

WIDE = 256  # up to this hidden size a step is so short that several threads gain less than they risk
MOST = 4  # a small encoder gains little from more threads
# Rounds that a thread spins before it sleeps while waiting for the others. bert-tiny on four threads with two other
# busy processes: 37 examples/s with the library's default, 658 with this number; on an idle machine 4259 and 3800.
SPINS = "10000"


def choose_threads(family: str, hidden: int, jobs: int = 1) -> int:
    """Return the CPU threads for one of `jobs` parallel runs: jobs x threads never exceeds the cores.

    family, hidden: of the model's settings. Models with short steps get 1 thread, others up to MOST.
    """
    if has_short_steps(family, hidden):
        return 1
    return max(1, min(MOST, usable_cores() // jobs))


def has_short_steps(family: str, hidden: int) -> bool:
    """Does a model have no encoder, or one of at most WIDE hidden units? family, hidden: of its settings."""
    return family in ("dsn", "bilstm", "cnn", "ngram", "ngram_vectors") or (family == "bert" and hidden <= WIDE)


def set_threads(count: int) -> None:
    """Fix the threads of every library: by environment for what is not loaded yet, by call for what is.

    Numpy's BLAS reads the environment only once: two parallel fits on two cores, in processes that had loaded it
    before, took 200 s and more of processor time each; with one thread each, 90 s.
    """
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"):
        os.environ[name] = str(count)
    if count > 1:
        os.environ.setdefault("GOMP_SPINCOUNT", SPINS)
    os.environ["TOKENIZERS_PARALLELISM"] = "true" if count > 1 else "false"
    if "numpy" in sys.modules:
        from threadpoolctl import threadpool_limits

        threadpool_limits(count)
    if "torch" in sys.modules:
        import torch

        torch.set_num_threads(count)
