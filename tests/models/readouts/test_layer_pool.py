"""Learned and average pooling over layers."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from models.checkpoints.open import load_model
from models.errors import ModelError
from models.parts import make_readout
from models.readouts.pooling import MeanPooler
from runner.training.gradient_norms import module_metrics
from tests.models.checkpoints.test_save import write
from tests.models.helpers import batch, small

MASK = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]])


def made(hidden: int = 8, layers: int = 2, **options: Any) -> Any:
    part = {"name": "layer_pool", "weights": "learned", "pool": "masked_mean"} | options
    return make_readout(part, hidden, layers)


def test_learned_pooling_over_bert_large_has_the_published_parameters() -> None:
    readout = made(1024, 24)
    assert sum(p.numel() for p in readout.parameters()) + 1024 * 2 + 2 == 2_076


@pytest.mark.parametrize("pool", ["cls", "masked_mean"])
def test_all_weight_on_the_last_layer_is_the_plain_last_state(pool: str) -> None:
    readout, states = made(pool=pool), list(torch.randn(3, 2, 4, 8))
    with torch.no_grad():
        readout.mix.weight.copy_(torch.tensor([-1e4, -1e4, 1e4]))
    expected = states[-1][:, 0] if pool == "cls" else MeanPooler()(states[-1], MASK)
    torch.testing.assert_close(readout(states, MASK), expected, atol=1e-6, rtol=0)


def test_average_pooling_weighs_all_layers_alike_and_trains_nothing() -> None:
    readout, states = made(weights="mean"), list(torch.randn(3, 2, 4, 8))
    torch.testing.assert_close(readout(states, MASK), MeanPooler()(torch.stack(states).mean(0), MASK))
    assert not list(readout.parameters())


def test_what_learned_pooling_learns_is_logged() -> None:
    model = small(readout={"name": "layer_pool", "weights": "learned", "pool": "cls"})
    found = module_metrics(model, None)
    assert [found[f"mix/weight_{j}"] for j in range(3)] == model.bert.pooler.mix.weight.softmax(0).tolist()
    assert found["mix/gamma"] == 1.0 and 0 < found["mix/center"] < 2


def test_a_saved_head_comes_back(tmp_path: Any) -> None:
    model = small(readout={"name": "layer_pool", "weights": "learned", "pool": "cls"})
    assert torch.equal(load_model(write(model, tmp_path / "m"))(**batch()), model(**batch()))


@pytest.mark.parametrize(
    ("option", "message"), [({"weights": "max"}, "learned, mean"), ({"pool": "max"}, "masked_mean")]
)
def test_options_that_make_no_sense_are_refused(option: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        made(**option)
