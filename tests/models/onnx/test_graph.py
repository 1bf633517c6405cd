"""A model as an ONNX graph: the same logits in every shape, and what cannot become a graph is refused."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from models.backbones.lengths import Lengths
from models.backbones.stock_head import stock_part
from models.backbones.transformers_backbone import wrap_encoder
from models.build import build
from models.compression import settings
from models.compression.bf16 import Bf16
from models.compression.dynamic_int8 import DynamicInt8
from models.compression.splitquant import Splitquant
from models.compression.stage import Stage
from models.compression.static_int8 import StaticInt8
from models.errors import ModelError
from models.heads.attach import attach_head
from models.heads.base import HeadSpec
from models.heads.exits import attach_exits
from models.onnx.graph import OnnxModel, write_onnx
from models.readouts.base import Readout
from models.settings import ModelSettings
from tests.models.backbones.test_ngram import golden_network
from tests.models.compression.row_context import applied
from tests.models.helpers import SMALL, batch, small
from tests.models.onnx.graphs import difference

LETTERS = {
    "name": "hash", "ngrams": 3, "buckets": 1003, "seed": 0, "marker": "keep", "scale": 0.25, "train_scale": True,
    "mode": "on_the_fly", "align": None, "align_width": 1, "ridge": 1.0,
}  # fmt: skip
ROOM = {"name": "adapter_pool", "size": 4, "pool": "flatten", "shared": True, "skip": True, "length": 40}


def of_letters() -> Any:
    """Computed word vectors under a head that has room for 40 tokens."""
    torch.manual_seed(0)
    settings = ModelSettings(**(SMALL | {"layers": 1, "embedding": LETTERS, "readout": ROOM}))
    return build(settings, head=HeadSpec(outputs=3), vocab_size=90, tokens=lambda: [f"word{i}" for i in range(90)])[
        0
    ].eval()


def quantized(stage: Stage) -> Any:
    return applied(stage, small(positions=48, layers=1))[0]


def of_another_library() -> Any:
    torch.manual_seed(0)
    shape = {"dim": 32, "n_layers": 1, "n_heads": 4, "hidden_dim": 48, "vocab_size": 90, "max_position_embeddings": 64}
    return attach_head(
        *wrap_encoder({"model_type": "distilbert", **shape}, stock_part("text"), 0.1), HeadSpec(outputs=3)
    ).eval()


def check(model: Any, graph: nn.Module) -> None:
    """Check that logits agree in several shapes, padded, and alone without a mask."""
    for rows, length in ((1, 1), (1, 40), (7, 9), (33, 40)):
        padded = batch(rows, length)
        assert difference(model, graph, padded) < 1e-5
        assert difference(model, graph, {"input_ids": padded["input_ids"].clamp(min=1), "attention_mask": None}) < 1e-5


def test_the_graph_answers_as_the_model_in_every_shape(written: tuple[Any, Path]) -> None:
    check(written[0], OnnxModel(written[1], threads=1))


def test_a_file_that_is_cut_short_is_the_users_error(written: tuple[Any, Path], tmp_path: Path) -> None:
    content = written[1].read_bytes()
    (tmp_path / "model.onnx").write_bytes(content[: len(content) // 2])
    with pytest.raises(ModelError, match=r"model\.onnx: cannot be read \(.*\)\. Try: export the run again"):
        OnnxModel(tmp_path / "model.onnx", threads=1)


def test_coded_weights_answer_as_the_model_and_take_the_bytes_of_their_codes(coded: tuple[Any, Path]) -> None:
    model, path = coded
    check(model, OnnxModel(path, threads=1))
    stored = sum(tensor.nbytes for tensor in model.state_dict().values())
    operators = 80_000  # names and shapes, whatever the sizes of the weights
    assert stored < path.stat().st_size < 1.1 * stored + operators


def test_padding_changes_no_answer_of_the_graph(written: tuple[Any, Path]) -> None:
    graph, inputs = OnnxModel(written[1], threads=1), batch(6, 30)
    together = graph(**inputs)
    for row, length in enumerate(inputs["attention_mask"].sum(1)):
        alone = graph(**{name: value[row : row + 1, : int(length)] for name, value in inputs.items()})
        torch.testing.assert_close(alone[0], together[row], atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    "make",
    [
        lambda: small(family="dsn", readout={"name": "sqrt"}),
        of_letters,
        lambda: quantized(Splitquant(settings.Splitquant(bits=8))),
        of_another_library,
    ],
    ids=["a bag of words", "letters and a fixed length", "split weights", "another library"],
)  # fmt: skip
def test_every_family_becomes_a_graph_and_is_left_as_it_was(make: Any, tmp_path: Path) -> None:
    model = make()
    before, words = copy.deepcopy(model.state_dict()), getattr(model.bert, "embeddings", None)
    write_onnx(model, tmp_path / "model.onnx")
    check(model, OnnxModel(tmp_path / "model.onnx", threads=1))
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    assert getattr(getattr(words, "word_embeddings", None), "mode", "on_the_fly") == "on_the_fly"


@pytest.mark.timeout(120)  # without end where the number of kept tokens is an expression of all layers' ratios
def test_lengths_as_a_search_finds_them_are_written_in_seconds(tmp_path: Path) -> None:
    model = small(layers=5, readout={"name": "mean"})
    model.bert.encoder.lengths = Lengths((0.996, 0.9849, 0.9806, 0.9168, 0.6493))
    write_onnx(model.eval(), tmp_path / "model.onnx")
    graph = OnnxModel(tmp_path / "model.onnx", 1)
    for inputs in (batch(1, 1), batch(2, 3), batch(3, 40)):
        assert difference(model, graph, inputs) < 1e-5


def test_what_is_no_graph_is_refused_with_the_reason(tmp_path: Path) -> None:
    class Looks(Readout):
        def forward(self, hidden: Tensor, mask: Tensor | None) -> Tensor:
            return hidden.sum(1) if float(hidden.sum()) > 0 else hidden.mean(1)

    model = small(family="dsn", readout={"name": "mean"})
    model.bert.pooler = Looks()
    with pytest.raises(ModelError, match=r"cannot be written as an ONNX graph: .*data-dependent"):
        write_onnx(model, tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ModelError, match="a model over n-grams cannot be written"):
        write_onnx(golden_network(), tmp_path / "model.onnx")
    both = small(layers=3, readout={"name": "mean"})
    attach_exits(both, (1, 2), rule="confidence")
    both.bert.encoder.lengths = Lengths((0.9, 0.8, 1.0))
    with pytest.raises(ModelError, match=r"lengths and exits .* the parts before it kept"):
        write_onnx(both, tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_model_in_bfloat16_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="a model in bfloat16 cannot be written as an ONNX graph"):
        write_onnx(quantized(Bf16(settings.Bf16())), tmp_path / "m.onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("stage", [DynamicInt8(settings.DynamicInt8()), StaticInt8(settings.StaticInt8())])
def test_a_model_that_multiplies_integers_is_refused_by_name(stage: DynamicInt8 | StaticInt8, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"multiply integers .* int8=true makes an int8 graph of the run before"):
        write_onnx(quantized(stage), tmp_path / "m.onnx")
    assert not list(tmp_path.iterdir())
