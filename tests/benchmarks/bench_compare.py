"""How long `run compare` takes as a whole process, on synthetic run folders of 2,000 test rows each.

python -m pytest tests/benchmarks/bench_compare.py -o python_files='bench_*.py' -s
"""

from __future__ import annotations

import copy
import json
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import run_cli
from tests.runner.compare.folders import answers_with, write_run

SEEDS = 3


def make_runs(output: Path, count: int) -> None:
    """`count` runs, three seeds a group; the groups differ in the learning rate, every other one is a bert-tiny."""
    patterns = []
    for number in range(12):
        labels, answers = answers_with(1500 + 30 * (number % 4), 2000, number)
        model = ("dsn", "bert-tiny")[number % 2]
        patterns.append(write_run(output / "patterns", f"model={model}", seed=number, labels=labels, answers=answers))
    rng = np.random.default_rng(0)
    for number in range(count):
        group, seed = divmod(number, SEEDS)
        pattern = patterns[2 * seed + group % 2]
        record = copy.deepcopy(pattern)
        record["identity"] = f"{number:010x}"
        record["config"]["seed"] = seed
        record["config"]["optimizer"]["lr"] = 1e-5 * (1 + group // 2)
        record["metrics"]["speed/latency_ms_p50_b1_s128"] = float(rng.uniform(0.5, 2))
        score = record["metrics"]["test/accuracy"]  # with its interval, as every run records it
        record["metrics"] |= {"test/accuracy_low": score - 0.02, "test/accuracy_high": score + 0.02}
        record["metrics"]["cost/bytes_packed"] = float(rng.integers(10_000, 10_000_000))
        folder = output / record["identity"]
        folder.mkdir(parents=True)
        (folder / "record.json").write_text(json.dumps(record, indent=2), encoding="utf-8")
        shutil.copy(output / "patterns" / pattern["identity"] / "predictions-test.parquet", folder)


@pytest.mark.parametrize(("count", "limit_s"), [(1_000, 3.0), (10_000, 20.0)])
@pytest.mark.parametrize("tested", [False, True], ids=["table", "with tests against a baseline"])
def test_compare_answers_in_seconds(count: int, limit_s: float, tested: bool, tmp_path: Path) -> None:
    make_runs(tmp_path / "outputs", count)
    words = ["--baseline", "model=bert-tiny optimizer.lr=1e-5"] if tested else []
    run_cli("compare", "--help", cwd=tmp_path)  # compiles the modules
    begun = time.perf_counter()
    done = run_cli("compare", *words, cwd=tmp_path)
    seconds = time.perf_counter() - begun
    assert done.returncode == 0, done.stderr
    assert "more groups" in done.stdout and ("p Holm" in done.stdout) == tested
    print(f"\n{count} runs, {count // SEEDS} groups, {'tests' if tested else 'no tests'}: {seconds:.1f} s")
    assert seconds < limit_s
