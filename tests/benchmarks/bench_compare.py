"""How long `run compare` takes as a whole process, on synthetic run folders of 2,000 test rows each.

python -m pytest tests/benchmarks/bench_compare.py -o python_files='bench_*.py' -s
"""

from __future__ import annotations

import copy
import json
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.conftest import run_cli
from tests.runner.compare.folders import answers_with, write_run

SEEDS = 3


def make_runs(output: Path, count: int) -> None:
    """`count` runs, three seeds a group, each with answers of its own; the groups differ in the learning rate.

    Every other group is a bert-tiny.
    """
    patterns = [write_run(output / "patterns", f"model={model}") for model in ("dsn", "bert-tiny")]
    rng = np.random.default_rng(0)
    for number in range(count):
        group, seed = divmod(number, SEEDS)
        labels, answers = answers_with(int(rng.integers(1500, 1650)), 2000, number)
        score = float(np.mean(labels == answers))
        record = copy.deepcopy(patterns[group % 2])
        record["identity"] = f"{number:010x}"
        record["started"] = f"2026-01-02T{number // 3600:02d}:{number // 60 % 60:02d}:{number % 60:02d}.000Z"
        record["config"]["seed"] = seed
        record["config"]["optimizer"]["lr"] = 1e-5 * (1 + group // 2)
        record["data"]["rows"]["test"] = len(labels)
        record["metrics"] |= {  # with its interval, as every run records it
            "test/accuracy": score, "test/accuracy_low": score - 0.02, "test/accuracy_high": score + 0.02,
            "test/examples": len(labels), "speed/latency_ms_p50_b1_s128": float(rng.uniform(0.5, 2)),
            "cost/bytes_packed": float(rng.integers(10_000, 10_000_000)),
        }  # fmt: skip
        folder = output / record["identity"]
        folder.mkdir(parents=True)
        (folder / "record.json").write_text(json.dumps(record, indent=2), encoding="utf-8")
        columns = {"row": np.arange(len(labels)), "label": labels, "prediction": answers}
        pq.write_table(pa.table(columns), folder / "predictions-test.parquet")


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
