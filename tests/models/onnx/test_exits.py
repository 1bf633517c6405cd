"""Exits in a graph: one file, the same answers as the model's, and layers that do not run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
import pytest
import torch
from torch import Tensor

from models.heads.exits import attach_exits, exits_of
from models.onnx.graph import OnnxModel, write_onnx
from models.onnx.int8 import quantize_graph
from tests.models.helpers import batch, small

LAYERS = 3
THRESHOLD = {"confidence": 0.41, "patience": 1.0}


def with_exits(rule: Any = "confidence", readout: str = "mean", layers: int = LAYERS) -> Any:
    """A model whose rows leave at different layers."""
    model = small(layers=layers, readout={"name": readout})
    attach_exits(model, range(1, layers), rule=rule).thresholds.fill_(THRESHOLD[rule])
    return model.eval()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """A model with exits and its graph."""
    model, path = with_exits("patience"), tmp_path_factory.mktemp("exits") / "model.onnx"
    write_onnx(model, path)
    return model, path


@pytest.fixture(scope="module")
def shallow(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """A model with one exit, between its two layers, and its graph."""
    model, path = with_exits("confidence", "cls", layers=2), tmp_path_factory.mktemp("shallow") / "model.onnx"
    write_onnx(model, path)
    return model, path


@torch.no_grad()
def answers(model: Any, inputs: dict[str, Tensor]) -> Tensor:
    found: Tensor = model(**inputs)
    return found


@pytest.mark.parametrize("rows", [1, 2, 40])
def test_the_graph_answers_as_the_model_in_batches_of_any_size(written: tuple[Any, Path], rows: int) -> None:
    model, path = written
    inputs = batch(rows)
    assert torch.allclose(OnnxModel(path, 1)(**inputs), answers(model, inputs), atol=1e-5)
    counts = exits_of(model).take_counts(LAYERS)  # type: ignore[union-attr]
    assert rows < 40 or (counts[2] and LAYERS * rows > sum(layer * count for layer, count in counts.items()))


def test_each_layer_is_in_the_branch_of_the_rows_that_reach_it(written: tuple[Any, Path]) -> None:
    def names(graph: onnx.GraphProto) -> tuple[list[str], list[onnx.GraphProto]]:
        below = [option.g for node in graph.node for option in node.attribute if option.name == "then_branch"]
        return [tensor.name for tensor in graph.initializer], below

    inside, depths = [onnx.load(written[1]).graph], []
    while inside:
        own, inside = names(inside[0])
        depths.append(sorted({name.partition("layer.")[2][0] for name in own if "layer." in name and "dense" in name}))
    assert depths == [["0"], ["1"], ["2"]]


def test_rows_leave_by_confidence_too(shallow: tuple[Any, Path]) -> None:
    (model, path), inputs = shallow, batch(40)
    assert torch.allclose(OnnxModel(path, 1)(**inputs), answers(model, inputs), atol=1e-5)
    counts = exits_of(model).take_counts(2)  # type: ignore[union-attr]
    assert counts[1] and counts[2], "some rows leave, and some do not"


def test_the_parts_are_quantized_one_by_one(shallow: tuple[Any, Path], tmp_path: Path) -> None:
    model, plain = shallow
    inputs, int8 = batch(20), tmp_path / "int8.onnx"
    quantize_graph(plain, int8, model)
    found = OnnxModel(int8, 1)(**inputs)
    assert found.shape == (20, 3) and float((found - answers(model, inputs)).abs().median()) < 0.1
    assert int8.stat().st_size < plain.stat().st_size
    kinds = {tensor.name: tensor.data_type for tensor in onnx.load(int8).graph.initializer}
    assert kinds["model.exits.classifiers.0.weight"] == onnx.TensorProto.FLOAT, "its input changes little"
    assert onnx.TensorProto.INT8 in kinds.values()
