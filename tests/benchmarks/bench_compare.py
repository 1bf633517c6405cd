"""Time `run compare` and other commands, each as a whole process, on synthetic runs with 2,000 test rows each.

CPU time is measured, as other processes may share the cores. The first comparison with significance tests reads the
runs' answers from their files, the second from the cache.

python -m pytest tests/benchmarks/bench_compare.py -o python_files='bench_*.py' -s
"""

from __future__ import annotations

import copy
import json
import resource
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.conftest import run_cli
from tests.runner.compare.folders import answers_with, write_run, write_sweep

SEEDS = 3


def make_runs(output: Path, count: int) -> list[dict[str, Any]]:
    """Write `count` runs and return their entries in a sweep.

    Each group has three seeds, and each run its own answers. The models alternate between groups, and the learning rate
    rises from pair to pair.
    """
    patterns = [write_run(output / "patterns", f"model={model}") for model in ("dsn", "bert-tiny")]
    rng, made = np.random.default_rng(0), []
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
        made.append({key: record[key] for key in ("identity", "overrides", "status", "reason")})
    return made


def seconds_of(words: list[str], folder: Path) -> tuple[float, str]:
    """Run a command; return the CPU time of its process and its output."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = run_cli(*words, cwd=folder, fresh=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stderr
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, done.stdout


@pytest.mark.parametrize(("count", "first_s", "again_s"), [(1_000, 4.0, 2.0), (10_000, 18.0, 5.0)])
def test_compare_answers_in_seconds(count: int, first_s: float, again_s: float, tmp_path: Path) -> None:
    write_sweep(tmp_path / "outputs", make_runs(tmp_path / "outputs", count))
    time.sleep(2)  # answers from newer files are not cached
    seconds_of(["compare", "--help"], tmp_path)  # so that the modules are compiled
    tests = ["compare", "--baseline", "model=bert-tiny optimizer.lr=1e-5"]
    commands = {
        "compare": (["compare"], again_s),
        "compare with tests, first": (tests, first_s),
        "compare with tests, again": (tests, again_s),
        "list runs best": (["list", "runs", "best"], again_s),
        "diff": (["diff", "0000000000", "0000000001"], again_s),
        "show latest": (["show", "latest"], again_s),
        "show a_sweep": (["show", "a_sweep"], again_s),
    }
    printed = {}
    for name, (words, limit_s) in commands.items():
        seconds, printed[name] = seconds_of(words, tmp_path)
        print(f"{count:6,} runs, {count // SEEDS:5,} groups, {name:26} {seconds:5.1f} s")
        assert seconds < limit_s, name
    assert "more groups" in printed["compare"] and "p Holm" not in printed["compare"]
    assert "p Holm" in printed["compare with tests, first"]
    assert printed["compare with tests, first"] == printed["compare with tests, again"]


def test_a_report_of_40_groups_takes_seconds_and_3_mb(tmp_path: Path) -> None:
    output = tmp_path / "outputs"
    make_runs(output, 40 * SEEDS)
    lines = [
        json.dumps({"step": step, "time": step, "train/loss": 1 / step, "val/accuracy": 0.8}) for step in range(1, 501)
    ]
    for folder in output.glob("0*"):
        (folder / "metrics.jsonl").write_text("\n".join(lines), encoding="utf-8")
    seconds, _ = seconds_of(["compare", "--baseline", "model=bert-tiny optimizer.lr=1e-5", "--out", "report"], tmp_path)
    size = (tmp_path / "report" / "report.html").stat().st_size
    print(f"40 groups, --out: {seconds:.1f} s, report.html {size / 1e6:.2f} MB")
    assert seconds < 10 and size < 3e6
