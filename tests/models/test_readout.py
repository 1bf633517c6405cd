"""From token vectors to one vector a text."""

from __future__ import annotations

import pytest
import torch

from models.readout import READOUTS, make_readout
from models.settings import ModelSettings

HIDDEN = torch.tensor([[[1.0, 2.0], [3.0, 4.0], [100.0, 100.0]], [[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]])
MASK = torch.tensor([[1, 1, 0], [1, 1, 1]])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sum", [[4.0, 6.0], [6.0, 6.0]]),
        ("mean", [[2.0, 3.0], [2.0, 2.0]]),
        ("sqrt", [[4.0 / 2**0.5, 6.0 / 2**0.5], [6.0 / 3**0.5, 6.0 / 3**0.5]]),
        ("sum_all", [[104.0, 106.0], [6.0, 6.0]]),
    ],
)
def test_each_pooling_gives_the_numbers_worked_out_by_hand(name: str, expected: list[list[float]]) -> None:
    torch.testing.assert_close(make_readout(name, 2)(HIDDEN, MASK), torch.tensor(expected))


@pytest.mark.parametrize("name", ["sum", "mean", "sqrt"])
def test_no_mask_means_no_padding_and_an_empty_text_gives_zeros(name: str) -> None:
    readout = make_readout(name, 2)
    torch.testing.assert_close(readout(HIDDEN, None), readout(HIDDEN, torch.ones_like(MASK)))
    assert not readout(HIDDEN, torch.zeros_like(MASK)).any()


def test_cls_reads_the_first_token_alone() -> None:
    readout = make_readout("cls", 2)
    changed = HIDDEN.clone()
    changed[:, 1:] += 1
    assert torch.equal(readout(HIDDEN, MASK), readout(changed, MASK))
    assert (readout(HIDDEN, MASK).abs() <= 1).all()


def test_the_settings_offer_exactly_the_readouts_there_are() -> None:
    fields = ModelSettings.__dataclass_fields__
    offered = {*fields["readout"].metadata["choices"], *fields["pooling"].metadata["choices"]}
    assert offered == set(READOUTS)
