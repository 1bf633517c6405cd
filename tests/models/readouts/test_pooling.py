"""The readouts without options, against numbers worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from models.errors import ModelError
from models.parts import make_readout
from models.readouts.pooling import POOLINGS, WINDOW, Neighbours
from tests.conftest import REPO

HIDDEN = torch.tensor([[[1.0, 2.0], [3.0, 4.0], [100.0, 100.0]], [[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]])
MASK = torch.tensor([[1, 1, 0], [1, 1, 1]])


def made(name: str, **options: Any) -> Any:
    return make_readout({"name": name, **options}, 2, 0)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sum", [[4.0, 6.0], [6.0, 6.0]]),
        ("mean", [[2.0, 3.0], [2.0, 2.0]]),
        ("sqrt", [[4.0 / 2**0.5, 6.0 / 2**0.5], [6.0 / 3**0.5, 6.0 / 3**0.5]]),
        ("sum_all", [[104.0, 106.0], [6.0, 6.0]]),
        ("max", [[3.0, 4.0], [3.0, 3.0]]),
    ],
)
def test_each_pooling_gives_the_numbers_worked_out_by_hand(name: str, expected: list[list[float]]) -> None:
    torch.testing.assert_close(made(name)(HIDDEN, MASK), torch.tensor(expected))


@pytest.mark.parametrize("name", ["sum", "mean", "sqrt", "max"])
def test_no_mask_means_no_padding_and_an_empty_text_gives_zeros(name: str) -> None:
    readout = made(name)
    torch.testing.assert_close(readout(HIDDEN, None), readout(HIDDEN, torch.ones_like(MASK)))
    assert not readout(HIDDEN, torch.zeros_like(MASK)).any()


def test_the_largest_value_may_be_negative() -> None:
    assert made("max")(-HIDDEN, MASK).tolist() == [[-1.0, -2.0], [-1.0, -1.0]]


def test_cls_reads_the_first_token_alone() -> None:
    readout = made("cls")
    changed = HIDDEN.clone()
    changed[:, 1:] += 1
    assert torch.equal(readout(HIDDEN, MASK), readout(changed, MASK))
    expected = torch.tanh(HIDDEN[:, 0] @ readout.dense.weight.T + readout.dense.bias)
    torch.testing.assert_close(readout(HIDDEN, MASK), expected)


SHARED = {"base", "layer_mix", "pooling"}  # what several readouts are made of


def test_there_is_a_yaml_for_each_readout_and_a_readout_for_each_yaml() -> None:
    files = {path.stem for path in (REPO / "models/readouts").glob("[!_]*.py")} - SHARED
    yamls = {path.stem for path in (REPO / "conf/model/readout").glob("[!_]*.yaml")} - {"auto"}  # one of the others
    assert yamls == files | {"cls", *POOLINGS}


@pytest.mark.parametrize("name", ["nobody", "../scalar_mix", "__init__"])
def test_a_readout_that_does_not_exist_is_refused(name: str) -> None:
    with pytest.raises(ModelError, match="no such model/readout"):
        made(name)


def test_neighbours_are_averaged_without_the_token_itself_or_padding() -> None:
    expected = [[[3.0, 4.0], [1.0, 2.0], [2.0, 3.0]], [[2.5, 2.5], [2.0, 2.0], [1.5, 1.5]]]
    torch.testing.assert_close(Neighbours()(HIDDEN, MASK), torch.tensor(expected))
    assert not Neighbours()(HIDDEN[:, :1], None).any(), "a token alone"


def test_neighbours_are_those_within_the_window() -> None:
    length, place = 30, 12
    hidden = torch.randn(1, length, 4, requires_grad=True)
    found = Neighbours()(hidden, None)
    near = [at for at in range(place - WINDOW, place + WINDOW + 1) if at != place]
    torch.testing.assert_close(found[0, place], hidden[0, near].mean(0))
    found[0, place].sum().backward()
    assert hidden.grad is not None
    assert hidden.grad[0].any(1).nonzero().flatten().tolist() == near
