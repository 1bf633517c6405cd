"""Checks whether the same command gives the same run, bit for bit: twice in one process, and once in another.

An ordinary run on built-in data is made three times, each with its own folders and caches, so vocabulary, initial
weights, batch order, dropout, every step, evaluation and the saved model are all computed from scratch.
"""

from __future__ import annotations

import io
import json
import math
import subprocess
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from runner.config.check import check_overrides as mistakes
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.errors import ConfigError
from runner.experiment.start import start_run
from runner.machine.child_process import child_environment
from runner.record.folder import POINTS, find_record
from runner.record.record import RunRecord

if TYPE_CHECKING:
    from torch import Tensor

WORDS = ("model=bert-tiny", "data=demo", "data.demo_rows=400", "train.epochs=2", "measure=off", "tracker=none")
CLOCK = ("time", "time/", "train/examples_per_s", "train/tokens_per_s")  # these differ between any two runs


@dataclass
class RunOutput:
    """The results of one of the runs."""

    record: RunRecord
    tensors: dict[str, Tensor]
    points: list[dict[str, float]]  # the curve, without times
    answers: bytes  # the file of predictions on the reported split


@dataclass
class DeterminismReport:
    """The comparison of the three runs."""

    record: RunRecord  # of the first run
    numbers: int  # saved numbers that were compared: parameters and buffers
    points: int
    again: str  # the first difference within one process; "" if there is none
    elsewhere: str  # the first difference to another process; "" if there is none


def check_determinism(words: list[str]) -> DeterminismReport:
    """Run three times and compare; words: overrides beside those in WORDS. Raises user errors."""
    chosen = [*WORDS, *words]
    if problems := mistakes(chosen):
        raise ConfigError("\n".join(problems))
    with TemporaryDirectory(prefix="bertier-") as folder:
        first, again = (_here(chosen, Path(folder, name)) for name in ("first", "again"))
        elsewhere = _elsewhere(chosen, Path(folder, "elsewhere"))
        return DeterminismReport(
            first.record, sum(t.numel() for t in first.tensors.values()), len(first.points),
            first_difference(first, again), first_difference(first, elsewhere),
        )  # fmt: skip


def first_difference(one: RunOutput, other: RunOutput) -> str:
    """Describe the first difference between two runs; "" if they are the same bit for bit."""
    for place, (left, right) in enumerate(zip(one.points, other.points)):
        for name in left:
            if not is_same_number(left[name], right.get(name, math.nan)):
                return f"{name} at step {left['step']} (point {place + 1}): {left[name]!r} against {right.get(name)!r}"
    if len(one.points) != len(other.points) or one.tensors.keys() != other.tensors.keys():
        return "the runs have different points or tensors"
    for name, tensor in one.tensors.items():
        if not is_same_bits(tensor, other.tensors[name]):
            apart = (tensor.double() - other.tensors[name].double()).abs().max()
            return f"parameters: {name} by up to {apart:.1e}"
    return "" if one.answers == other.answers else "the answers on the reported split"


def is_same_bits(one: Tensor, other: Tensor) -> bool:
    """Return whether two tensors have the same bits: NaN equals itself, and -0.0 is not 0.0."""
    import torch

    bits = [tensor.contiguous().flatten().view(torch.uint8) for tensor in (one, other)]
    return one.dtype == other.dtype and one.shape == other.shape and torch.equal(*bits)


def is_same_number(one: float, other: float) -> bool:
    """Return whether two numbers are equal; NaN equals itself."""
    return one == other or (one != one and other != other)


def _here(words: list[str], folder: Path) -> RunOutput:
    """Run in this process."""
    words = [*words, *_places(folder)]
    with redirect_stdout(io.StringIO()) as said:
        outcome = start_run(resolve(compose(words), words=words), words)
    if outcome.exit_code:
        raise RuntimeError(f"a run failed: {said.getvalue().strip()}")
    return _read(folder)


def _elsewhere(words: list[str], folder: Path) -> RunOutput:
    """Run in a new process, which has another hash seed and another memory layout."""
    command = [sys.executable, "-P", "-m", "runner.cli", *words, *_places(folder)]
    done = subprocess.run(command, env=child_environment(), capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"a run in another process failed: {(done.stderr or done.stdout).strip()}")
    return _read(folder)


def _places(folder: Path) -> list[str]:
    return [f"paths.output={folder / 'outputs'}", f"paths.cache={folder / 'cache'}"]


def _read(folder: Path) -> RunOutput:
    from safetensors.torch import load_file

    output = folder / "outputs"
    record = find_record(output, None)
    run = output / record.identity
    points = [json.loads(line) for line in (run / POINTS).read_text(encoding="utf-8").splitlines()]
    answers = (run / f"predictions-{record.data.primary.partition('/')[0]}.parquet").read_bytes()
    kept = [{name: value for name, value in point.items() if not name.startswith(CLOCK)} for point in points]
    return RunOutput(record, load_file(run / "model" / "model.safetensors"), kept, answers)
