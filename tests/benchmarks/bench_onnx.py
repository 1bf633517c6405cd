"""make bench: exported graphs against the model in torch, interleaved in one process on one thread."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from models.build import build
from models.heads.base import HeadSpec
from models.settings import ModelSettings
from runner.measure.inputs import Cell, draw_batch
from runner.measure.latency import measure_latency
from runner.measure.onnx_variants import onnx_models
from tests.data.helpers import split_of

CELL = Cell(1, 128)
MOST_BYTES = 0.27  # int8 file against the fp32 one
SHAPES = {
    "bert-tiny": (ModelSettings(), 2.5),
    "MiniLM": (ModelSettings(layers=6, hidden=384, heads=12), 3.0),
    "bert-base": (ModelSettings(layers=12, hidden=768, heads=12), 4.0),
}


@pytest.mark.timeout(1200)  # most of it is making bert-base's graph on a slow disk
@pytest.mark.parametrize("name", SHAPES)
def test_int8_is_several_times_faster_than_torch_and_a_quarter_of_the_size(name: str) -> None:
    settings, least = SHAPES[name]
    torch.manual_seed(0)
    model = build(settings, head=HeadSpec(outputs=2), vocab_size=30522)[0]
    graphs, bytes_of = onnx_models(model, 1, print)
    split = split_of([np.random.default_rng(0).integers(1000, 30522, 50_000)])
    report = measure_latency(
        {"torch": model, **graphs}, [CELL], threads=1, min_time_s=2.0, rounds=7,
        make_batch=lambda cell: [draw_batch(split, cell.batch_size, int(cell.length or 0))],
    )  # fmt: skip
    share = bytes_of["cost/bytes_onnx_int8"] / bytes_of["cost/bytes_onnx"]
    print(f"\n{name}: torch {report.times['torch'][CELL].percentile_ms(0.5):.2f} ms")
    for graph in graphs:
        print(f"  {graph}: {report.times[graph][CELL].percentile_ms(0.5):.2f} ms, "
              f"{report.speedup(graph, 'torch', CELL):.2f} x")  # fmt: skip
    print(f"  int8 file: {share:.3f} of the fp32 one, load average {report.load_before}")
    assert share <= MOST_BYTES
    assert report.speedup("onnx_int8", "torch", CELL) >= least
