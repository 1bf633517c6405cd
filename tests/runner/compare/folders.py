"""Run folders as the runner writes them, made in a moment: real settings, chosen answers."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.record.identity import identify
from runner.record.metrics import check
from runner.record.record import RunRecord
from runner.schema import Settings
from runner.version import VERSION

DATA = "d" * 64  # the fingerprint of the built-in data, as good as any
NEWER = ("cost/bytes_deployed", "speed/answer_us_p50")  # older records lack them


@cache
def _settings(words: tuple[str, ...]) -> Settings:
    return resolve(compose(list(words)))


def write_run(
    output: Path,
    *words: str,
    seed: int = 0,
    labels: Iterable[int | float] = (),
    answers: Iterable[int | float] = (),
    metrics: dict[str, float] | None = None,
    fingerprint: str = DATA,
    environment: dict[str, Any] | None = None,
    older: bool = False,
    **changes: Any,
) -> dict[str, Any]:
    """Write the folder of a finished run and return its record; accuracy is what the answers make it.

    older: made before deployed bytes and the times of answers were measured.
    """
    own = () if any(word.startswith("data=") for word in words) else ("data=demo",)
    words = (*words, *own, "tracker=none", f"seed={seed}")
    settings = copy.deepcopy(_settings(words))
    found = {
        "cost/params": 1000, "cost/params_nonzero": 1000, "cost/bytes_packed": 4000, "cost/bytes_file": 4400,
        "cost/bytes_deployed": 5000, "speed/answer_us_p50": 600.0,
        "cost/macs": 5000, "speed/latency_ms_p50_b1_s128": 1.0, "speed/noise_b1_s128": 1.1, "time/train_s": 2.0,
    }  # fmt: skip
    truth, given = np.asarray(list(labels)), np.asarray(list(answers))
    if len(truth) and truth.dtype.kind == "i":
        found |= {"test/accuracy": float(np.mean(truth == given)), "test/examples": len(truth)}
    found |= metrics or {}
    if older:
        found = {name: value for name, value in found.items() if name not in NEWER}
    for name in found:
        check(name)
    record = {
        "schema_version": 1,
        "status": "done",
        "reason": None,
        "started": f"2026-01-02T03:04:{seed % 60:02d}.000Z",
        "ended": "2026-01-02T03:05:05.000Z",
        "metrics": found,
        "stages": [{"name": "train", "metrics": found}],
        "identity": identify(settings, fingerprint, "", ""),
        "name": f"{settings.model.name} {settings.data.name} seed={seed}",
        "config": asdict(settings),
        "overrides": list(words),
        "environment": {"cpu": "a cpu", "cores": 4, "device": "cpu", "python": "3.11.7", "code_version": VERSION,
                        "versions": {"torch": "2.13.0"}} | (environment or {}),
        "data": {"name": settings.data.name, "fingerprint": fingerprint, "task": settings.data.task,
                 "rows": {"train": 90, "val": 10, "test": len(truth)}, "primary": "test/accuracy"},
        "tokenizer": {"source": "train", "fingerprint": "t" * 64},
        "weights": {"source": None, "fingerprint": ""},
    } | changes  # fmt: skip
    folder = output / str(record["identity"])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "record.json").write_text(json.dumps(record, indent=2), encoding="utf-8")
    if len(truth):
        columns = {"row": np.arange(len(truth)), "label": truth, "prediction": given}
        pq.write_table(pa.table(columns), folder / "predictions-test.parquet")
    points = [{"step": step, "time": 0.0, "train/loss": 1.0 / step, "train/lr": 0.1} for step in range(1, 11)]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(point) + "\n" for point in points), encoding="utf-8")
    return record


def answers_with(right: int, count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Labels (count,) of two classes and answers of which `right` are correct, at random places."""
    labels = np.arange(count) % 2
    wrong = np.random.default_rng(seed).permutation(count)[right:]
    answers = labels.copy()
    answers[wrong] = 1 - answers[wrong]
    return labels, answers


def write_group(output: Path, *words: str, right: Iterable[int], count: int = 200, **more: Any) -> list[dict[str, Any]]:
    """A run for each number of right answers, with the seeds 0, 1, ..."""
    records = []
    for seed, number in enumerate(right):
        labels, answers = answers_with(number, count, seed)
        records.append(write_run(output, *words, seed=seed, labels=labels, answers=answers, **more))
    return records


def typed(records: Iterable[dict[str, Any]]) -> list[RunRecord]:
    """The records as readers get them."""
    return [RunRecord.from_json(record) for record in records]


def write_sweep(output: Path, records: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    """The sweep.json over some runs."""
    sweep = {
        "id": "0123456789", "name": "a_sweep", "question": "which?", "overrides": ["model=dsn,bert-tiny"],
        "runs": [{"identity": r["identity"], "overrides": r["overrides"], "status": r["status"], "reason": r["reason"]}
                 for r in records],
        "claims": [], "baseline": None, "started": "2026-01-02T03:04:00.000Z", "ended": None,
    } | changes  # fmt: skip
    folder = output / "sweeps" / str(sweep["id"])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sweep.json").write_text(json.dumps(sweep), encoding="utf-8")
    return sweep
