"""Softmax within groups of items."""

from __future__ import annotations

import torch

from runner.tasks.segments import segment_log_softmax, segment_sum


def test_each_group_has_the_softmax_of_its_own_items_in_value_and_gradient() -> None:
    torch.manual_seed(0)
    values = (torch.randn(9, 2) * 30).requires_grad_()
    groups = torch.tensor([2, 0, 0, 2, 2, 0, 4, 4, 2])
    found = segment_log_softmax(values, groups, 5)
    weights = torch.randn(9, 2)
    (gradient,) = torch.autograd.grad((found * weights).sum(), values)
    for group in groups.unique():
        rows = groups == group
        alone = values.detach()[rows].requires_grad_()
        wanted = alone.log_softmax(0)
        torch.testing.assert_close(found[rows], wanted)
        (own,) = torch.autograd.grad((wanted * weights[rows]).sum(), alone)
        torch.testing.assert_close(gradient[rows], own)
    torch.testing.assert_close(segment_log_softmax(values[:, 0], groups, 5), found[:, 0])


def test_large_values_do_not_overflow_and_an_empty_group_has_the_sum_0() -> None:
    found = segment_log_softmax(torch.tensor([1e4, 1e4, -1e4]), torch.tensor([0, 0, 1]), 2)
    torch.testing.assert_close(found, torch.tensor([-0.6931472, -0.6931472, 0.0]))
    assert segment_sum(torch.tensor([1.0, 2.0]), torch.tensor([2, 2]), 3).tolist() == [0.0, 0.0, 3.0]
