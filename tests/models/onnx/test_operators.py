"""The shorter way to a graph gives the graph of the longer one, and is not taken where it would give none."""

from __future__ import annotations

from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import onnx
import onnxruntime
import pytest
import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from models.onnx import graph, operators
from models.onnx.graph import OnnxModel, write_onnx
from models.onnx.operators import must_be_traced, replaced_where_needed
from tests.models.helpers import batch, small
from tests.models.onnx.graphs import difference

TABLE: dict[Any, Any] = {torch.ops.aten.square.default: None}


class Computes(nn.Module):
    """A module of one function of (B, T, 4) float32."""

    def __init__(self, function: Any) -> None:
        super().__init__()
        self.function = function

    def forward(self, hidden: Tensor) -> Tensor:
        found: Tensor = self.function(hidden)
        return found


def program_of(function: Any) -> ExportedProgram:
    shapes = ({0: Dim("batch", min=2), 1: Dim("length", min=2)},)
    return torch.export.export(Computes(function).eval(), (torch.ones(2, 8, 4),), dynamic_shapes=shapes)


@pytest.fixture
def longer(written: tuple[Any, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The graph of the same model as torch writes it alone."""
    monkeypatch.setattr(graph, "replaced_where_needed", nullcontext)
    write_onnx(written[0], tmp_path / "longer.onnx")
    return tmp_path / "longer.onnx"


def test_both_ways_give_one_graph(written: tuple[Any, Path], longer: Path) -> None:
    nodes = [Counter(node.op_type for node in onnx.load(path).graph.node) for path in (written[1], longer)]
    assert sum((nodes[0] - nodes[1]).values()) <= 1 and not nodes[1] - nodes[0]  # the length of a second input
    for rows, length in ((1, 1), (5, 9), (3, 40)):
        assert difference(OnnxModel(written[1], 1), OnnxModel(longer, 1), batch(rows, length)) == 0.0


def test_where_the_shorter_way_fails_the_longer_one_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise AttributeError("in another version of torch")

    monkeypatch.setattr(operators, "replace_in", fail)
    model, path = small(layers=1), tmp_path / "model.onnx"
    write_onnx(model, path)
    torch.testing.assert_close(OnnxModel(path, 1)(**batch()), model(**batch()), atol=1e-4, rtol=0)


@pytest.mark.parametrize("readout", ["cls", "mean_std"])
def test_the_encoder_and_its_usual_readouts_are_traced_once(
    readout: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ExportedProgram, "run_decompositions", lambda *_: pytest.fail("traced again"))
    write_onnx(small(layers=1, readout={"name": readout}), tmp_path / "model.onnx")


@pytest.mark.parametrize(
    "function",
    [
        lambda hidden: hidden.square(),
        lambda hidden: hidden.clone().add_(1.0),
        lambda hidden: hidden.movedim(0, 1),
        lambda hidden: torch.batch_norm(hidden, None, None, None, None, True, 0.1, 1e-5, False),
        lambda hidden: torch.cat([hidden.flatten(0, 1)] * 4).unflatten(0, (2 * hidden.shape[0], 2 * hidden.shape[1])),
    ],
    ids=["no translation", "in place", "a view", "a combination", "two unknown sizes"],
)  # fmt: skip
def test_a_program_with_other_operators_is_traced_again(function: Any) -> None:
    assert must_be_traced(program_of(function), TABLE)


def test_a_cast_to_the_same_type_and_every_kind_of_size_are_replaced(tmp_path: Path) -> None:
    def function(hidden: Tensor) -> Tensor:
        heads = hidden.float().unflatten(-1, (2, -1)).transpose(1, 2)  # (B, 2, T, 2)
        return heads.flatten(0, 1).unflatten(0, (-1, 2)).transpose(1, 2).flatten(2).to(torch.int64)

    inputs, path = torch.arange(24.0).view(2, 3, 4), tmp_path / "model.onnx"
    program = program_of(function)
    assert not must_be_traced(program, TABLE)
    with replaced_where_needed():
        written = torch.onnx.export(program, dynamo=True, verbose=False)
    assert written is not None
    written.save(path)
    (found,) = onnxruntime.InferenceSession(path).run(None, {"hidden": inputs.numpy()})
    assert torch.equal(torch.from_numpy(found), inputs.to(torch.int64))


def test_an_input_of_another_type_is_cast(tmp_path: Path) -> None:
    def function(hidden: Tensor) -> Tensor:
        counts = hidden.to(torch.int64)
        return (hidden * counts + 1) / (counts + 2)

    inputs, path = torch.arange(24.0).view(2, 3, 4) / 3, tmp_path / "model.onnx"
    with replaced_where_needed():
        written = torch.onnx.export(program_of(function), dynamo=True, verbose=False)
    assert written is not None
    written.save(path)
    assert "Cast" in {node.op_type for node in onnx.load(path).graph.node}
    (found,) = onnxruntime.InferenceSession(path).run(None, {"hidden": inputs.numpy()})
    torch.testing.assert_close(torch.from_numpy(found), function(inputs))
