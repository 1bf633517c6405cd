"""A graph in int8: what it covers, and how close it stays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from models.onnx.graph import OnnxModel, write_onnx
from models.onnx.int8 import quantize_graph
from tests.models.helpers import batch, small
from tests.models.onnx.graphs import difference


def test_int8_covers_word_vectors_and_products_and_stays_close(written: tuple[Any, Path], tmp_path: Path) -> None:
    import onnx

    quantize_graph(written[1], tmp_path / "int8.onnx", written[0])
    floats = [
        int(np.prod(tensor.dims))
        for tensor in onnx.load(tmp_path / "int8.onnx").graph.initializer
        if tensor.data_type == onnx.TensorProto.FLOAT
    ]
    assert max(floats) == 48 * 32, "the positions, which are cut off a table and not looked up"
    inputs = batch(8, 20, vocab_size=2000)
    spread = float(written[0](**inputs).detach().std())
    assert 0 < difference(written[0], OnnxModel(tmp_path / "int8.onnx", threads=1), inputs) < 0.1 * spread + 0.01


def test_a_neuron_of_large_weights_costs_the_others_no_precision(tmp_path: Path) -> None:
    model, inputs = small(vocab_size=2000, positions=48, layers=1), batch(8, 20, vocab_size=2000)
    with torch.no_grad():
        model.classifier.weight[0] *= 1000
    write_onnx(model, tmp_path / "model.onnx")
    quantize_graph(tmp_path / "model.onnx", tmp_path / "int8.onnx", model)
    with torch.inference_mode():
        logits = model(**inputs)[:, 1:]
        off = OnnxModel(tmp_path / "int8.onnx", threads=1)(**inputs)[:, 1:] - logits
    assert off.abs().max() < 0.2 * logits.std()
