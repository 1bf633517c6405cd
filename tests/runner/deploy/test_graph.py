from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from models.auto import assemble
from models.errors import ModelError
from runner.deploy.graph import OnnxModel, write_onnx
from runner.deploy.int8 import quantize
from tests.models.helpers import batch, small

HASH = {
    "name": "hash", "ngrams": 3, "buckets": 1003, "seed": 0, "marker": "keep", "scale": 0.25, "train_scale": True,
    "mode": "on_the_fly", "align": None, "align_width": 1, "ridge": 1.0,
}  # fmt: skip
FLATTEN = {"name": "adapter_pool", "size": 4, "pool": "flatten", "shared": True, "skip": True, "length": 40}


def hashed() -> nn.Module:
    from models.build import build
    from models.settings import ModelSettings
    from tests.models.helpers import SMALL

    torch.manual_seed(0)
    settings = ModelSettings(**SMALL, embedding=HASH)
    return build(settings, num_labels=3, vocab_size=90, tokens=lambda: [f"word{i}" for i in range(90)])[0].eval()


def other_librarys() -> nn.Module:
    torch.manual_seed(0)
    shape = {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 48, "vocab_size": 90, "max_position_embeddings": 64}
    return assemble({"model_type": "distilbert", **shape}, {"name": "mean"}, 3, 0.1).eval()


MODELS: dict[str, Any] = {
    "bert": small,
    "a bag of words, which leaves padding out": lambda: small(family="dsn", readout={"name": "sqrt"}),
    "word vectors from letters": hashed,
    "a head with room for 40 tokens": lambda: small(readout=FLATTEN),
    "another library's encoder": other_librarys,
}


def difference(one: nn.Module, other: nn.Module, inputs: dict[str, Tensor | None]) -> float:
    with torch.inference_mode():
        return float((one(**inputs) - other(**inputs)).abs().max())


@pytest.mark.parametrize("name", MODELS)
def test_the_graph_answers_as_the_model_padded_or_not_at_any_size(name: str, tmp_path: Path) -> None:
    model = MODELS[name]()
    before = copy.deepcopy(model.state_dict())
    write_onnx(model, tmp_path / "model.onnx")
    graph = OnnxModel(tmp_path / "model.onnx", threads=1)
    for rows, length in ((1, 1), (1, 40), (7, 9), (33, 40)):
        padded = batch(rows, length)
        assert difference(model, graph, padded) < 1e-5
        alone = {"input_ids": padded["input_ids"].clamp(min=1), "attention_mask": None}
        assert difference(model, graph, alone) < 1e-5
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    if name == "word vectors from letters":
        assert model.bert.embeddings.word_embeddings.mode == "on_the_fly"


def test_padding_changes_no_answer_of_the_graph(tmp_path: Path) -> None:
    write_onnx(small(), tmp_path / "model.onnx")
    graph = OnnxModel(tmp_path / "model.onnx", threads=1)
    inputs = batch(6, 30)
    together = graph(**inputs)
    for row, length in enumerate(inputs["attention_mask"].sum(1)):
        alone = graph(**{name: value[row : row + 1, : int(length)] for name, value in inputs.items()})
        torch.testing.assert_close(alone[0], together[row], atol=1e-5, rtol=0)


def test_int8_covers_word_vectors_and_products_and_stays_close(tmp_path: Path) -> None:
    model = small(hidden=64, vocab_size=2000, intermediate=256, positions=32)
    write_onnx(model, tmp_path / "model.onnx")
    quantize(tmp_path / "model.onnx", tmp_path / "int8.onnx")
    import onnx

    there = onnx.load(tmp_path / "int8.onnx").graph.initializer
    floats = [tensor for tensor in there if tensor.data_type == onnx.TensorProto.FLOAT]
    assert max(int(np.prod(tensor.dims)) for tensor in floats) == 32 * 64, "the positions, which are cut, not looked up"
    inputs = batch(8, 20, vocab_size=2000)
    spread = float(model(**inputs).std())
    assert 0 < difference(model, OnnxModel(tmp_path / "int8.onnx", threads=1), inputs) < 0.1 * spread + 0.01


def test_what_is_no_graph_is_refused_with_the_reason(tmp_path: Path) -> None:
    class Looks(nn.Module):
        def forward(self, hidden: Tensor, mask: Tensor | None) -> Tensor:
            return hidden.sum(1) if float(hidden.sum()) > 0 else hidden.mean(1)

    model = small()
    model.bert.pooler = Looks()
    with pytest.raises(ModelError, match="cannot be written as an ONNX graph: .*data-dependent"):
        write_onnx(model, tmp_path / "model.onnx")
