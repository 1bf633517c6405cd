from __future__ import annotations

import torch

from models.compression.bf16 import cast_to_bf16
from runner.measure.onnx_variants import onnx_models
from tests.models.helpers import batch, small


def test_a_row_of_the_int8_graph_is_answered_as_it_is_alone() -> None:
    graphs, sizes = onnx_models(small(), 1, print)
    assert set(sizes) == {"cost/bytes_onnx", "cost/bytes_onnx_int8"}
    rows = batch(rows=3, length=9)
    together = graphs["onnx_int8"](**rows)
    alone = [graphs["onnx_int8"](**{name: value[row : row + 1] for name, value in rows.items()}) for row in range(3)]
    assert torch.equal(together, torch.cat(alone))
    torch.testing.assert_close(together, graphs["onnx"](**rows), atol=0.1, rtol=0)
    del rows["token_type_ids"]
    assert torch.equal(graphs["onnx_int8"](**rows, token_type_ids=None), graphs["onnx_int8"](**rows))


def test_a_model_in_bfloat16_is_not_timed_as_a_graph_and_the_reason_is_told() -> None:
    model, told = small(), list[str]()
    cast_to_bf16(model)
    assert onnx_models(model, 1, told.append) == ({}, {})
    assert len(told) == 1 and told[0].startswith("measure.onnx: a model in bfloat16 cannot be written")
