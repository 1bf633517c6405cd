"""The latency of models within a run: other runs pause, models take turns, and a shared table is made once."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
import torch

from data.load import load_splits
from data.settings import DataSettings
from data.splits import Splits
from runner.experiment import stopwatch as module
from runner.experiment.stopwatch import ROUNDS, Stopwatch
from runner.machine.exclusive import Exclusive
from runner.measure.latency import LatencyReport, measure_latency
from runner.schema import Settings
from tests.models.helpers import small


@pytest.fixture(scope="module")
def splits(tmp_path_factory: pytest.TempPathFactory) -> Splits:
    data = DataSettings(source="demo", demo_rows=120, task="classification", text="text", label="label")
    return load_splits(data, tokenizer="train", vocab_size=90, cache=tmp_path_factory.mktemp("cache"))


@pytest.fixture
def stopwatch(splits: Splits, tmp_path: Path) -> Stopwatch:
    settings = Settings()
    settings.paths.cache, settings.measure.threads, settings.measure.min_time_s = str(tmp_path), 1, 0.01
    return Stopwatch(settings, splits, torch.device("cpu"), lambda text: None, Exclusive())


def test_each_model_is_timed_in_every_round_on_the_same_inputs(stopwatch: Stopwatch) -> None:
    models = {"one layer": small(layers=1), "four layers": small(layers=4)}
    found = stopwatch.times(models, batch=2, length=16, seconds=0.01)
    assert {name: len(times) for name, times in found.items()} == dict.fromkeys(models, ROUNDS)
    fewer, more = (sorted(found[name])[ROUNDS // 2] for name in models)
    assert 0 < fewer < more


def test_the_latency_is_the_median_over_the_rounds(stopwatch: Stopwatch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopwatch, "times", lambda models, **options: {name: [9.0, 1.0, 2.0] for name in models})
    assert stopwatch.latency(small()) == 2.0


def test_a_run_that_begins_waits_until_the_timing_is_over(
    stopwatch: Stopwatch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, waited = Exclusive(), []
    begin = threading.Thread(target=other.enter, args=(tmp_path,), daemon=True)

    def measure(*args: Any, **options: Any) -> LatencyReport:
        begin.start()
        begin.join(0.05)
        waited.append(begin.is_alive())
        return measure_latency(*args, **options)

    monkeypatch.setattr(module, "measure_latency", measure)
    stopwatch.exclusive.enter(tmp_path)
    stopwatch.times({"model": small(layers=1)}, length=8, seconds=0.001)
    begin.join(10)
    assert waited == [True] and not begin.is_alive()
    for one in (other, stopwatch.exclusive):
        one.exit()


def test_the_machine_is_described_by_what_its_times_depend_on(stopwatch: Stopwatch) -> None:
    assert {"cpu", "device", "version", "threads"} <= stopwatch.machine.keys() and stopwatch.machine["threads"] == 1


def test_a_lock_beside_a_file_makes_its_folder(stopwatch: Stopwatch, tmp_path: Path) -> None:
    with stopwatch.locked(tmp_path / "speed" / "table.json"):
        assert (tmp_path / "speed" / "table.json.lock").exists()
