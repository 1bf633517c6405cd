"""make bench: the latency of the DSN against bert-tiny, taking turns in one process on one thread."""

from __future__ import annotations

import numpy as np
import torch

from models.build import build
from models.settings import ModelSettings
from runner.measure.inputs import Cell, draw_batch
from runner.measure.latency import measure_latency
from tests.data.helpers import split_of

CELLS = [Cell(1, 128), Cell(1, 512), Cell(32, 128)]
LEAST = 10.0  # at batch 1 and 128 tokens; the published claim is 15


def test_dsn_answers_at_least_ten_times_faster_than_bert_tiny() -> None:
    torch.manual_seed(0)
    options = {"num_labels": 2, "vocab_size": 30522}
    models = {
        "dsn": build(ModelSettings(family="dsn", readout={"name": "mean"}, width=0.125), **options)[0],  # type: ignore[arg-type]
        "bert-tiny": build(ModelSettings(), **options)[0],  # type: ignore[arg-type]
    }
    split = split_of([np.random.default_rng(0).integers(1000, 30522, 50_000)])
    report = measure_latency(
        models,
        CELLS,
        threads=1,
        min_time_s=0.5,
        rounds=5,
        make_batch=lambda cell: [draw_batch(split, cell.batch_size, int(cell.length or 0))],
    )
    print()
    for cell in CELLS:
        print(f"{cell.name:>10}: bert-tiny over DSN 497K {report.speedup('dsn', 'bert-tiny', cell):6.1f} x")
    assert report.speedup("dsn", "bert-tiny", CELLS[0]) >= LEAST
