"""make bench: tokenisation against transformers, making batches, and how much time tracking costs a run."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import numpy as np
import pytest

from data.batch import collate
from data.inputs.tokenizer import load_tokenizer
from data.load import load_splits
from data.sampler import epoch_batches
from data.settings import DataSettings
from data.sources.choice import read_raw
from data.stores.build_once import SharedCache
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.record.json_files import write_json
from runner.track.mirror import start_mirror
from runner.track.settings import TrackerSettings
from tests.conftest import hub_answers
from tests.records import record_json

ROUNDS = 2 if os.environ.get("BENCH_QUICK") == "1" else 5


def test_tokenising_beats_the_wrapper() -> None:
    """SST-2's training texts: ours in chunks, as the token store reads them; transformers in a single call."""
    if not hub_answers():
        pytest.skip("needs the hub")
    from transformers import AutoTokenizer

    source = "google-bert/bert-base-uncased"
    stock = AutoTokenizer.from_pretrained(source)
    train = read_raw(resolve(compose(["data=sst2"])).data, SharedCache(Path())).splits["train"]
    texts = list(train.texts())
    ratios = []
    for _ in range(ROUNDS):
        ours = load_tokenizer(source)  # with empty caches
        begun = time.perf_counter()
        for columns, _labels in train.chunks():
            ours.encode(columns["text"], None, 128)
        middle = time.perf_counter()
        stock(texts, truncation=True, max_length=128)
        ratios.append((time.perf_counter() - middle) / (middle - begun))
    rows = len(texts) / (middle - begun)
    print(
        f"\ntokenising: {rows:,.0f} rows/s, "
        f"{np.min(ratios):.1f} / {np.median(ratios):.1f} / {np.max(ratios):.1f} x tokenizer(...), wanted 2.5"
    )
    assert np.median(ratios) >= 2.5


def test_cutting_a_batch_takes_a_fraction_of_a_millisecond(tmp_path: Path) -> None:
    splits = load_splits(DataSettings(), tokenizer="train", vocab_size=2000, cache=tmp_path)
    batches = epoch_batches(splits.train.lengths, seed=0, epoch=0, batch_size=32)
    begun = time.perf_counter()
    for rows in batches:
        collate(splits.train, rows)
    each = (time.perf_counter() - begun) / len(batches) * 1e3
    print(f"\nbatch of 32 rows: {each:.3f} ms")
    assert each < 0.5


def test_tracking_costs_a_run_less_than_a_hundredth_of_a_minute(tmp_path: Path) -> None:
    """The time that the run's own process spends on MLflow: starting the helper, ten requests, waiting at the end."""
    folder = tmp_path / "run"
    folder.mkdir()
    write_json(folder / "record.json", record_json(metrics={"test/accuracy": 0.9}))
    begun = time.perf_counter()
    mirror = start_mirror(TrackerSettings(), tmp_path)
    assert mirror is not None
    spent = time.perf_counter() - begun
    for epoch in range(10):
        with (folder / "metrics.jsonl").open("a") as stream:
            for step in range(10):
                stream.write(json.dumps({"step": 10 * epoch + step, "time": time.time(), "train/loss": 0.5}) + "\n")
        begun = time.perf_counter()
        mirror.request(folder)
        spent += time.perf_counter() - begun
        time.sleep(1.0)  # an epoch of training
    begun = time.perf_counter()
    assert mirror.close(20) is None
    spent += time.perf_counter() - begun
    print(f"\ntracking: {spent * 1e3:.0f} ms of the run's time, {spent / 60:.2%} of a minute, wanted 1 %")
    assert spent < 0.6
