"""The DetectParts head: its parameters, the arithmetic, its dropout, and that padding changes nothing."""

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

OPTIONS: dict[str, Any] = {"size": 3, "dropout": 0.3, "length": 17}


def made(hidden: int = 8, layers: int = 2, **changes: Any) -> Any:
    return make_readout({"name": "detect_parts", **(OPTIONS | changes)}, hidden, layers)


def test_over_bert_base_it_has_the_parameters_of_its_layers() -> None:
    with torch.device("meta"):
        readout = made(768, 12, size=128, length=128)
        head = count(nn.Linear(readout.width, 2))
    depths, dense, norm = 13 * 768, 768 * 128 + 128, 2 * 128
    assert (count(readout), head) == (depths + dense + norm, 128 * 128 * 13 * 2 + 2)


def test_each_state_gets_its_depth_and_is_narrowed_and_normalised() -> None:
    readout, states = made(), list(torch.randn(3, 2, 5, 8))
    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0]])
    steps = nn.Sequential(readout.dense, nn.SiLU(), readout.norm, nn.GELU())
    for row, length in enumerate((5, 2)):
        places = [steps(states[j][row, t] + readout.depth[j]) for t in range(length) for j in range(3)]
        expected = torch.cat([*places, torch.zeros((17 - length) * 9)])
        torch.testing.assert_close(readout(states, mask)[row], expected)


def test_a_model_has_its_dropout_trains_all_of_it_and_comes_back(tmp_path: Any) -> None:
    model = small(readout={"name": "detect_parts", **OPTIONS})
    assert model.dropout.p == 0.3
    model(**batch()).logsumexp(1).sum().backward()
    assert all(p.grad is not None and p.grad.any() for p in model.bert.pooler.parameters())
    again = load_model(write(model, tmp_path / "m"))
    assert torch.equal(again(**batch()), model(**batch()))
    with pytest.raises(ModelError, match="18 tokens: this head was made for 17"):
        again(**batch(length=18))


@pytest.mark.parametrize(
    ("option", "message"), [({"size": 0}, "at least 1"), ({"dropout": 1.0}, "at least 0 and less than 1")]
)
def test_options_that_make_no_sense_are_refused(option: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        made(**option)
