"""Heads on the first token of every layer: published parameter counts and what they read."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F

from models.checkpoints.open import load_model
from models.errors import ModelError
from models.parts import make_readout
from tests.models.checkpoints.test_save import write
from tests.models.helpers import batch, small

# weights, size: trained parameters over BERT-large with two outputs, as in the published Keras summaries
PUBLISHED = {("learned", None): 2_077, ("learned", 386): 398_499, ("mean", 386): 398_472}


def made(hidden: int, layers: int, **options: Any) -> Any:
    return make_readout({"name": "cls_layers", **({"weights": "learned", "size": None} | options)}, hidden, layers)


@pytest.mark.parametrize(("options", "expected"), PUBLISHED.items())
def test_each_head_trains_the_published_number_of_parameters(options: tuple[str, int | None], expected: int) -> None:
    readout = made(1024, 24, weights=options[0], size=options[1])
    trained = sum(p.numel() for p in readout.parameters() if p.requires_grad)
    assert trained + readout.width * 2 + 2 == expected


def test_the_readout_weighs_the_first_tokens_and_the_pooled_one() -> None:
    readout, states = made(8, 2, size=3), list(torch.randn(3, 4, 5, 8))
    pooled = torch.tanh(readout.dense(states[-1][:, 0]))
    vectors = torch.stack([states[0][:, 0], states[1][:, 0], states[2][:, 0], pooled])
    shares = readout.mix.weight.softmax(0)
    mixed = readout.mix.gamma * (shares.view(4, 1, 1) * vectors).sum(0)
    expected = torch.cat([F.gelu(readout.adapter(mixed)), pooled], 1)
    torch.testing.assert_close(readout(states, None), expected)


def test_berts_pooler_stays_as_it_is() -> None:
    model = small(readout={"name": "cls_layers", "weights": "mean", "size": None})
    model(**batch()).sum().backward()
    assert model.bert.pooler.dense.weight.grad is None
    assert model.classifier.weight.grad is not None


def test_a_saved_head_comes_back(tmp_path: Any) -> None:
    model = small(readout={"name": "cls_layers", "weights": "learned", "size": 5})
    assert torch.equal(load_model(write(model, tmp_path / "m"))(**batch()), model(**batch()))


@pytest.mark.parametrize(("option", "message"), [({"weights": "max"}, "learned, mean"), ({"size": 0}, "or null")])
def test_options_that_make_no_sense_are_refused(option: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        made(8, 2, **option)
