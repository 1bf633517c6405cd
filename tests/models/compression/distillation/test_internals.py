"""Looking inside an encoder: the scores are those behind its probabilities, and the answers stay the same."""

from __future__ import annotations

from pathlib import Path

import torch

from models.checkpoints.open import load_model
from models.compression.distillation.internals import run_with_internals, shape_of
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
