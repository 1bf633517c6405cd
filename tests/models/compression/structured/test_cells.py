"""Cells of an encoder of transformers: layers with one sublayer at each width, called as the model calls them."""

from __future__ import annotations

import pytest

from models.compression.structured.cells import cell_key, timing_cells
from models.compression.structured.layer_widths import sublayers
from tests.models.compression.structured.test_blocks import encoder, texts


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
