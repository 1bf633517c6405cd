"""make bench: exported graphs against the model in torch, taking turns in one process on one thread."""

from __future__ import annotations

import copy
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from models.build import build
from models.compression import settings as methods
from models.compression.weight_only import WeightOnly
from models.heads.base import HeadSpec
from models.settings import ModelSettings
from runner.deploy.bundle.predict import Model
from runner.measure.inputs import Cell, draw_batch
from runner.measure.latency import measure_latency
from runner.measure.onnx_variants import onnx_models
from tests.conftest import run_cli
from tests.data.helpers import split_of

CELL = Cell(1, 128)
MOST_BYTES = 0.27  # int8 file size relative to fp32
MOST_OVER_CODES, MOST_OVER_PLAIN = 1.10, 1.10  # size relative to its codes, time relative to plain, of a few-bit graph
SENTENCES = ("a lovely film", "it is " + "so very slow and dull " * 4, "a film " + "that goes on for ever " * 22)
SHAPES = {
    "bert-tiny": (ModelSettings(), 2.5),
    "MiniLM": (ModelSettings(layers=6, hidden=384, heads=12), 3.0),
    "bert-base": (ModelSettings(layers=12, hidden=768, heads=12), 4.0),
}


@pytest.mark.timeout(1200)  # most of the time goes into writing bert-base's graph to a slow disk
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


@pytest.mark.timeout(1200)
def test_graphs_in_few_bits_take_the_bytes_of_their_codes_and_the_time_of_plain_ones() -> None:
    torch.manual_seed(0)
    plain = build(SHAPES["MiniLM"][0], head=HeadSpec(outputs=2), vocab_size=30522)[0].eval()
    few = copy.deepcopy(plain)
    stage = WeightOnly(methods.WeightOnly(bits=2, scheme="affine", per="group", embedding_bits=3))
    for name, (layer, made) in stage.replace_layers(few).items():
        stage.fill(name, layer, made)
    stored = sum(tensor.nbytes for tensor in few.state_dict().values())
    graphs, sizes = onnx_models(plain, 1, print)
    packed, bytes_of = onnx_models(few, 1, print)
    models = graphs | {f"{name} in few bits": graph for name, graph in packed.items()}
    cells = [Cell(1, 25), CELL]
    split = split_of([np.random.default_rng(0).integers(1000, 30522, 50_000)])
    report = measure_latency(
        models, cells, threads=1, min_time_s=2.0, rounds=7,
        make_batch=lambda cell: [draw_batch(split, cell.batch_size, int(cell.length or 0))],
    )  # fmt: skip
    print(f"\nMiniLM, 2 bits and tables in 3: {stored:,} bytes of codes, load average {report.load_before}")
    for name in graphs:
        size = bytes_of[f"cost/bytes_{name}"]
        print(f"  {name}: {size:,.0f} bytes for {sizes[f'cost/bytes_{name}']:,.0f}")
        assert size <= MOST_OVER_CODES * stored
        for cell in cells:
            one, other = (report.times[which][cell].percentile_ms(0.5) for which in (name, f"{name} in few bits"))
            print(f"    {cell.length} tokens: {other:.2f} ms, plain {one:.2f} ms")
            assert report.speedup(f"{name} in few bits", name, cell) >= 1 / MOST_OVER_PLAIN


@pytest.mark.timeout(1200)
def test_a_bundle_in_few_bits_answers_texts_as_fast_as_a_plain_one(tmp_path: Path) -> None:
    shape = ("model=bert-tiny", "model.layers=6", "model.hidden=384", "model.heads=12", "model.pretrained=null")
    words = (*shape, "model.tokenizer=train", "data=demo", "train.steps=1", "measure=off", "tracker=none")
    first = trained(tmp_path, *words)
    models = {"plain": first, "few bits": trained(tmp_path, *words, "compression=[int2]", f"from={first}")}
    opened: dict[str, Model] = {}
    for name, identity in models.items():
        done = run_cli("export", identity, "format=bundle", "int8=true", f"out={tmp_path / name}", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        start = time.perf_counter()
        opened[name] = Model(tmp_path / name)
        print(f"\n{name}: {(tmp_path / name / 'model.onnx').stat().st_size:,} bytes, opened in "
              f"{time.perf_counter() - start:.2f} s")  # fmt: skip
    for text in SENTENCES:
        took: dict[str, list[float]] = {name: [] for name in opened}
        for _ in range(100):
            for name, model in opened.items():
                start = time.perf_counter()
                model(text)
                took[name].append(time.perf_counter() - start)
        median = {name: float(np.median(times)) for name, times in took.items()}
        print(
            f"  {len(text.split())} words: " + ", ".join(f"{name} {1e3 * one:.2f} ms" for name, one in median.items())
        )
        assert median["few bits"] <= MOST_OVER_PLAIN * median["plain"]


def trained(folder: Path, *words: str) -> str:
    """Run these overrides and return the run's id."""
    before = set(folder.glob("outputs/*/record.json"))
    done = run_cli(*words, cwd=folder)
    assert done.returncode == 0, done.stderr
    (path,) = set(folder.glob("outputs/*/record.json")) - before
    record: dict[str, Any] = json.loads(path.read_text())
    return str(record["identity"])
