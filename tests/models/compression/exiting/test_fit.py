"""Exits fitted on a fixed encoder: the minimum of their loss, and they tell right answers from wrong ones."""

from __future__ import annotations

from typing import Any, cast

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from models.compression.exiting.fit import answer_loss, errors, fit_doubt, fit_exits, solve
from models.compression.exiting.states import see
from models.compression.settings.exits import Exits as Options
from tests.models.compression.exiting.exit_context import ExitContext, with_exits


def test_the_solution_is_that_of_the_normal_equations() -> None:
    draw = torch.Generator().manual_seed(0)
    inputs = torch.randn(200, 4, generator=draw) * torch.tensor([1.0, 5.0, 0.2, 1.0]) + 3
    wanted = inputs @ torch.tensor([1.0, -2.0, 3.0, 0.0]) + 4
    layer = nn.Linear(4, 1)
    solve(layer, inputs, lambda found: 1e4 * F.mse_loss(found.squeeze(-1), wanted))
    assert layer.weight[0].tolist() == pytest.approx([1.0, -2.0, 3.0, 0.0], abs=0.01)
    assert float(layer.bias.detach()) == pytest.approx(4, abs=0.05)


def test_states_that_barely_vary_get_no_weights_that_multiply_their_rounding() -> None:
    draw = torch.Generator().manual_seed(0)
    labels = torch.randint(2, (200,), generator=draw)
    inputs = 2 + 2e-6 * (torch.randn(200, 8, generator=draw) + labels[:, None])  # ten steps of float32 at 2
    layer = nn.Linear(8, 2)
    solve(layer, inputs, lambda logits: F.cross_entropy(logits, labels))
    rounded = torch.nextafter(inputs, torch.tensor(3.0))
    assert (layer(rounded) - layer(inputs)).abs().max() < 0.05  # of logits; without a limit 1.25


def test_exits_learn_the_labels_of_the_training_rows() -> None:
    model, exits = with_exits(Options())
    context = cast(Any, ExitContext())
    seen = see(model, exits, context, rows=None, split="train")
    fit_exits(exits, seen, soft=0.0)
    held_out = see(model, exits, context, rows=None, split="select")
    for answers in held_out.answers(exits):
        assert float((answers.argmax(-1) == held_out.labels).float().mean()) > 0.6


def test_the_answers_of_the_last_layer_count_as_much_as_asked() -> None:
    model, exits = with_exits(Options())
    seen = see(model, exits, cast(Any, ExitContext()), rows=None, split="train")
    agreed = []
    for soft in (0.0, 20.0):
        fit_exits(exits, seen, soft)
        agreed.append(float((seen.answers(exits)[0].argmax(-1) == seen.last.argmax(-1)).float().mean()))
    assert agreed[1] > agreed[0]


def test_the_loss_weighs_labels_once_and_the_last_layer_as_asked() -> None:
    logits, last = torch.tensor([[1.0, 0.0], [0.0, 2.0]]), torch.tensor([[0.0, 3.0], [1.0, 1.0]])
    labels = torch.tensor([0, 1])
    own = -logits.log_softmax(-1)[[0, 1], labels].mean()
    taught = -(last.softmax(-1) * logits.log_softmax(-1)).sum(-1).mean()
    torch.testing.assert_close(answer_loss(logits, labels, last, 3.0), (own + 3 * taught) / 4)
    numbers, answers = torch.tensor([[1.0], [3.0]]), torch.tensor([[2.0], [2.0]])
    assert float(answer_loss(numbers, torch.tensor([1, 1]), answers, 3.0)) == pytest.approx((2 + 3 * 1) / 4)


def test_doubt_is_larger_where_the_answer_is_wrong() -> None:
    model, exits = with_exits(Options(rule="learned"))
    seen = see(model, exits, cast(Any, ExitContext()), rows=None, split="train")
    fit_exits(exits, seen, soft=0.0)
    fit_doubt(exits, seen)
    is_wrong = seen.answers(exits).argmax(-1) != seen.labels
    certainties = seen.certainties(exits)
    certainties = certainties.detach()
    assert is_wrong.any() and float(certainties[~is_wrong].mean()) > float(certainties[is_wrong].mean())


def test_the_error_of_a_number_is_its_square() -> None:
    assert errors(torch.tensor([[1.0], [3.0]]), torch.tensor([2.0, 1.0])).tolist() == [1, 4]
