"""Pooling over layers before the adapter: published parameters, the arithmetic, and that padding changes nothing."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from models.checkpoints.open import load_model
from models.errors import ModelError
from models.parts import make_readout
from tests.models.checkpoints.test_save import write
from tests.models.helpers import batch, count, small

OPTIONS: dict[str, Any] = {"weights": "learned", "size": 3, "pool": "masked_mean", "skip": False, "length": 17}
# weights, skip: parameters over BERT-large at size 386, two outputs. Published (for spans, whose linear layer from each
# token to start and end is as large) is the first; the others have a linear layer or a mix less.
LARGE = {("learned", True): 398_498, ("learned", False): 396_450, ("mean", True): 398_472}


def made(**changes: Any) -> Any:
    """The readout over 2 layers of 32."""
    return make_readout({"name": "mix_adapter", **(OPTIONS | changes)}, 32, 2)


@pytest.mark.parametrize(("options", "expected"), LARGE.items())
def test_the_head_over_bert_large_has_the_published_parameters(options: tuple[str, bool], expected: int) -> None:
    part = {"name": "mix_adapter", **OPTIONS, "weights": options[0], "skip": options[1], "size": 386}
    with torch.device("meta"):
        readout: Any = make_readout(part, 1024, 24)
        assert count(readout) + count(nn.Linear(readout.width, 2)) == expected


@pytest.mark.parametrize("weights", ["learned", "mean"])
@pytest.mark.parametrize("pool", ["flatten", "masked_mean", "cls"])
def test_each_token_is_gelu_of_a_linear_layer_over_its_mixed_states(pool: str, weights: str) -> None:
    readout, states = made(pool=pool, weights=weights, skip=True), list(torch.randn(3, 2, 5, 32))
    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0]])
    is_learned = weights == "learned"
    shares = readout.mix.weight.softmax(0) * readout.mix.gamma if is_learned else torch.full((3,), 1 / 3)
    mixed = sum(share * state for share, state in zip(shares, states))
    tokens = torch.cat([nn.GELU()(readout.adapter[0](mixed)), states[-1]], 2)
    for row, length in enumerate((5, 2)):
        expected = {
            "flatten": torch.cat([tokens[row, :length].flatten(), torch.zeros((17 - length) * 35)]),
            "masked_mean": tokens[row, :length].mean(0),
            "cls": tokens[row, 0],
        }[pool]
        torch.testing.assert_close(readout(states, mask)[row], expected)


def test_a_saved_head_comes_back(tmp_path: Any) -> None:
    model = small(readout={"name": "mix_adapter", **OPTIONS})
    assert torch.equal(load_model(write(model, tmp_path / "m"))(**batch()), model(**batch()))


@pytest.mark.parametrize(
    ("option", "message"), [({"pool": "max"}, "flatten, masked_mean, cls"), ({"weights": "max"}, "learned, mean")]
)
def test_options_that_make_no_sense_are_refused(option: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        made(**option)
