"""Estimates how long a run takes from its work and three rates of this machine, measured once and cached.

A rate is rounded to a power of the square root of 2, so that a plan does not change with the noise of a measurement.
Where nothing depends on a clock, the rates are those of REFERENCE, the same on every machine.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from data.part_file import written_whole
from runner.machine.facts import cpu_model, usable_cores

ROUNDS, ROUND_S = 3, 0.15  # of a measurement; the fastest counts
ROWS, WORDS, TABLE, WIDTH = 32, 24, 8000, 64  # sizes of the bag of words whose training is timed


@dataclass(frozen=True)
class Rates:
    """Units of work a second on one thread."""

    sparse: float  # cells of a sparse matrix times a vector
    embedding: float  # numbers of word vectors that a training step reads and updates
    dense: float  # multiply-adds


REFERENCE = Rates(2.0**28, 2.0**28, 2.0**35)


def machine_class(device: str = "cpu") -> str:
    """Return what rates and times depend on: the processor, the number of cores used, and the device."""
    return f"{cpu_model()}, {usable_cores()} cores, {device}"


def rounded_rate(rate: float) -> float:
    """Return the nearest power of the square root of 2."""
    return float(2.0 ** (round(2 * math.log2(rate)) / 2))


def known_rates(cache: Path, machine: str, notify: Callable[[str], None]) -> Rates:
    """Return the rates of this machine, measured first where the cache does not have them; takes 2 s."""
    folder = cache / "best"
    path = folder / "rates.json"
    kept: dict[str, dict[str, float]] = {}
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        return Rates(**kept[machine])
    except (OSError, ValueError, KeyError, TypeError):  # none yet, or a damaged file
        notify("measuring how fast this machine is, once")
    found = measure_rates(torch.device("cuda" if machine.endswith("cuda") else "cpu"))
    kept = kept if isinstance(kept, dict) else {}
    folder.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as part:
        part.write_text(json.dumps(kept | {machine: asdict(found)}, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return found


def measure_rates(device: torch.device) -> Rates:
    """Measure the three rates on one thread; dense products on the device."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return Rates(*(rounded_rate(measure()) for measure in (_sparse, _embedding, lambda: _dense(device))))
    finally:
        torch.set_num_threads(threads)


def _fastest(call: Callable[[], object], units: float, clock: Callable[[], float] = time.thread_time) -> float:
    """Return the units per second of the fastest of several rounds.

    clock: on the CPU this thread's processor time, so that other processes do not lower a cached rate.
    """
    call()
    best = 0.0
    for _ in range(ROUNDS):
        begun, calls = clock(), 0
        while clock() - begun < ROUND_S:
            call()
            calls += 1
        best = max(best, units * calls / (clock() - begun))
    return best


def _sparse() -> float:
    from scipy.sparse import csr_matrix

    rows, columns, each = 4000, 20_000, 40
    places = np.random.default_rng(0).integers(columns, size=rows * each, dtype=np.int32)
    matrix = csr_matrix((np.ones(rows * each), places, np.arange(0, rows * each + 1, each)), (rows, columns))
    vector = np.ones(columns)
    return _fastest(lambda: matrix @ vector, rows * each)


def _embedding() -> float:
    table, head = nn.Embedding(TABLE, WIDTH).weight, nn.Linear(WIDTH, 2)
    mean, square = torch.zeros_like(table), torch.zeros_like(table)
    ids, labels = torch.randint(TABLE, (ROWS, WORDS)), torch.randint(2, (ROWS,))

    def step() -> None:  # Adam by hand: the first optimizer of a process imports torch's compiler, for 3 s
        loss = nn.functional.cross_entropy(head(nn.functional.embedding(ids, table).mean(1)), labels)
        (gradient,) = torch.autograd.grad(loss, [table])
        with torch.no_grad():
            mean.lerp_(gradient, 0.1)
            square.mul_(0.999).addcmul_(gradient, gradient, value=0.001)
            table.addcdiv_(mean, square.sqrt().add_(1e-8), value=-1e-3)

    return _fastest(step, embedding_units(ROWS, WORDS, WIDTH) + TABLE * WIDTH)


def embedding_units(rows: float, tokens: float, width: float) -> float:
    """Return the numbers that a forward and a backward pass over the word vectors of texts read and write."""
    return 3 * rows * tokens * width


def _dense(device: torch.device) -> float:
    left, right = torch.randn(512, 384, device=device), torch.randn(384, 1536, device=device)

    def product() -> None:
        left @ right
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    clock = time.perf_counter if device.type == "cuda" else time.thread_time
    return _fastest(product, 512 * 384 * 1536, clock)
