"""Early exits in numbers: layers and multiply-adds of the rows that were answered."""

from __future__ import annotations

import numpy as np
import pytest

from models.heads.exits import attach_exits
from runner.measure.exits import exit_metrics, mean_macs
from runner.measure.inputs import real_batches
from runner.measure.macs import count_macs
from runner.measure.measure import count_costs, time_model
from runner.measure.settings import MeasureSettings
from tests.data.helpers import split_of
from tests.models.helpers import batch, small

SPLIT = split_of([np.arange(5, 5 + length) for length in (4, 9, 9, 20)])
LAYERS = 4


def test_the_mean_layers_are_those_of_the_rows_since_the_last_call() -> None:
    model = small(layers=LAYERS)
    assert exit_metrics(model) == {}
    exits = attach_exits(model, (2, 3), rule="confidence")
    model.eval()(**batch(6))
    exits.thresholds[0] = 0.0
    model(**batch(2))
    shares = {"exits/share_2": 0.25, "exits/share_3": 0.0, "exits/share_4": 0.75}
    assert exit_metrics(model) == pytest.approx({"exits/mean_layers": (6 * LAYERS + 2 * 2) / 8} | shares)
    assert exit_metrics(model) == {}


def test_multiply_adds_are_the_mean_of_real_rows_and_of_drawn_words_those_of_all_layers() -> None:
    plain, model = small(layers=LAYERS, positions=128), small(layers=LAYERS, positions=128)
    attach_exits(model, (1, 2, 3), rule="confidence").thresholds.fill_(0.0)
    own = count_costs(model.eval(), SPLIT, positions=128)
    all_of_it = count_costs(plain, SPLIT, positions=128)
    assert own["cost/macs_s128"] == all_of_it["cost/macs_s128"]
    rows = [count_macs(plain, inputs) for inputs in real_batches(SPLIT, 1, 20)]
    assert own["cost/macs"] == mean_macs(model, SPLIT) < np.mean(rows) / 3


def test_cells_of_drawn_words_are_timed_apart_from_real_rows() -> None:
    model = small(layers=LAYERS, positions=128)
    attach_exits(model, (1, 2, 3), rule="confidence").thresholds.fill_(0.0)
    settings = MeasureSettings(batch_sizes=[1], lengths=[64], min_time_s=0.01, rounds=3)
    found = time_model(model.eval(), SPLIT, settings, warn=lambda _: None)
    assert {"speed/latency_ms_p50_b1_s64", "speed/latency_ms_p50_b1_data"} <= set(found)
    assert exit_metrics(model)["exits/share_1"] > 0
