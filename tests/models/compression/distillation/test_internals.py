"""Looking inside an encoder: the scores are those behind its probabilities, and the answers stay the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from models.checkpoints.open import load_model
from models.compression.dendrite.module import Dendritic
from models.compression.distillation.internals import run_with_internals, shape_of
from models.compression.splitquant import SplitLinear
from models.compression.structured.layer_widths import restore, widths
from tests.models.helpers import batch, small, stock


def test_the_softmax_of_the_scores_is_what_transformers_attends_with_in_padded_rows_too(tmp_path: Path) -> None:
    reference, inputs = stock(), batch()
    reference.config._attn_implementation = "eager"
    reference.save_pretrained(tmp_path)
    model = load_model(tmp_path)
    with torch.no_grad():
        expected = reference(**inputs, output_attentions=True, output_hidden_states=True)
        inside = run_with_internals(model, inputs, [1, 2])
    torch.testing.assert_close(inside.logits, expected.logits, atol=1e-5, rtol=1e-5)
    padding = (1 - inputs["attention_mask"][:, None, None, :]) * -1e30
    for layer in (1, 2):
        found = (inside.scores(layer) + padding).softmax(-1)
        torch.testing.assert_close(found, expected.attentions[layer - 1], atol=1e-6, rtol=1e-5)
    for state, other in zip(inside.states, expected.hidden_states, strict=True):
        real = inputs["attention_mask"].bool()
        torch.testing.assert_close(state[real], other[real], atol=1e-5, rtol=1e-5)


def test_looking_leaves_the_model_as_it_was() -> None:
    model, inputs = small(), batch()
    with torch.no_grad():
        before = model(**inputs)
        run_with_internals(model, inputs, [1, 2])
        after = model(**inputs)
    assert torch.equal(before, after)
    assert not any(module._forward_hooks for module in model.modules())


def test_a_bag_of_words_has_only_answers() -> None:
    assert shape_of(small(family="dsn", backbone="none", readout={"name": "mean"})).layers == 0
    assert shape_of(small()).heads == (4, 4)


def test_states_are_read_through_a_layer_that_has_lost_all_heads() -> None:
    model = restore(small(), {"layers": [[0, 48], [3, 0]]})
    assert (shape_of(model).heads, shape_of(model).projected) == ((0, 3), (0, 24))
    inside = run_with_internals(model, batch(), [2])
    assert len(inside.states) == 3 and inside.scores(2).shape[1] == 3


@pytest.mark.parametrize("make", [Dendritic, SplitLinear.exact])
def test_heads_are_counted_behind_replaced_layers(make: Callable[[nn.Linear], nn.Module]) -> None:
    model = small()
    for name, layer in list(model.bert.encoder.named_modules()):
        if isinstance(layer, nn.Linear):
            model.bert.encoder.set_submodule(name, make(layer))
    assert shape_of(model).heads == (4, 4) and widths(model) == [[4, 48], [4, 48]]
