"""Cells: one sublayer at each width; in an encoder of transformers, a layer called as the model calls it."""

from __future__ import annotations

import pytest

from models.compression.structured.blocks import ATTENTION, FFN, blocks_of, linear_of
from models.compression.structured.cells import cell_key, timing_cells
from models.compression.structured.layer_widths import Sublayer, cut_sublayer, layer_of, sublayers, width_of, widths
from tests.models.compression.structured.test_blocks import encoder, texts
from tests.models.helpers import batch, small


@pytest.mark.parametrize("kind", ["roberta", "modernbert"])
def test_each_kind_of_sublayer_is_timed_as_the_model_calls_it(kind: str) -> None:
    model = encoder(kind)
    cells = timing_cells(model, 2, 6, 16)
    keys = [cell_key(model, sublayer) for sublayer in sublayers(model)]
    if kind == "modernbert":
        assert {*keys} == {"attention/full_attention", "attention/sliding_attention", "ffn"}
    for key in {*keys}:
        assert f"{key}/0" in cells and f"{key}/{48 if key == 'ffn' else 4}" in cells
    for cell in cells.values():
        assert cell(**texts(2, 6)).shape == (2, 6, 32)


@pytest.mark.parametrize("kind", ["roberta", "modernbert"])
def test_a_cell_has_one_sublayer_at_its_width_and_the_model_is_as_before(kind: str) -> None:
    model = encoder(kind).train()
    cells = timing_cells(model, 2, 6, 16)
    for name, cell in cells.items():
        part, width = name.partition("/")[0], int(name.rpartition("/")[2])
        layer = cell.get_submodule("layer")
        other = FFN if part == ATTENTION else ATTENTION
        assert (width_of(layer, part), width_of(layer, other)) == (width, 0)
    layers = blocks_of(model)
    assert model.training and all(layer.training and not layer._forward_pre_hooks for layer in layers)
    assert widths(model) == [[4, 48]] * 4


def test_the_last_of_our_layers_has_cells_of_its_own_where_only_the_first_state_is_read() -> None:
    model = small(layers=3)
    assert [cell_key(model, sublayer) for sublayer in sublayers(model)] == ["attention", "ffn"] * 2 + [
        "attention/first", "ffn/first",
    ]  # fmt: skip
    cells = timing_cells(model, 2, 6, 48)
    shapes = {name: tuple(cell(**batch(2, 6)).shape) for name, cell in cells.items()}
    assert all(shape == ((2, 1, 32) if "first" in name else (2, 6, 32)) for name, shape in shapes.items())
    assert shapes.keys() == {
        *(f"{kind}/{heads}" for kind in ("attention", "attention/first") for heads in range(5)),
        *(f"{kind}/{neurons}" for kind in ("ffn", "ffn/first") for neurons in (48, 0)),
    }
    mean = small(layers=2, readout={"name": "mean"})
    assert {cell_key(mean, sublayer) for sublayer in sublayers(mean)} == {"attention", "ffn"}


def test_cells_are_made_from_the_widest_sublayer_of_their_kind() -> None:
    model = small(layers=3)
    layer = layer_of(model, Sublayer(0, FFN))
    output = linear_of(layer, FFN)
    cut_sublayer(layer, FFN, range(16), output.weight[:, :16], output.bias)
    assert "ffn/48" in timing_cells(model, 2, 6, 16)
