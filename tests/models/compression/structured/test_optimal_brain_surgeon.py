"""The maths of removing columns: equal to least squares, better than deletion, level with a slow exact sweep."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from models.compression.structured import optimal_brain_surgeon
from models.compression.structured.optimal_brain_surgeon import (
    Removal,
    add_damping,
    group_columns,
    refit_weight,
    removal_order,
)


def problem(seed: int, *, inputs: int = 48, outputs: int = 12, rows: int = 400) -> tuple[Tensor, Tensor]:
    """A weight and correlated inputs (rows, inputs), double precision."""
    generator = torch.Generator().manual_seed(seed)
    mix = torch.randn(inputs, inputs, generator=generator, dtype=torch.float64) / inputs**0.5
    mix += 0.3 * torch.eye(inputs)
    weight = torch.randn(outputs, inputs, generator=generator, dtype=torch.float64)
    return weight, torch.randn(rows, inputs, generator=generator, dtype=torch.float64) @ mix


def lost(weight: Tensor, x: Tensor, kept: list[int], other: Tensor, group: int) -> float:
    """Squared error of a layer with other columns in place of all."""
    return float((x @ weight.T - x[:, group_columns(kept, group)] @ other.T).square().sum())


@pytest.mark.parametrize("group", [1, 16])
def test_what_is_left_equals_least_squares_and_the_scores_add_up_to_the_error(group: int) -> None:
    weight, x = problem(0)
    removal = removal_order(weight, x.T @ x, group)
    groups = x.shape[1] // group
    everything = float((x @ weight.T).square().sum())
    for count in (groups - 1, groups // 2, 1):
        kept = removal.kept(count)
        found = refit_weight(weight, x.T @ x, kept, group)
        best = torch.linalg.lstsq(x[:, group_columns(kept, group)], x @ weight.T).solution.T
        torch.testing.assert_close(found, best, rtol=1e-6, atol=1e-9)
        share = lost(weight, x, kept, found, group) / everything
        assert share == pytest.approx(removal.errors[groups - count], rel=1e-8)
    assert removal.errors[0] == 0.0 and removal.errors[-1] == pytest.approx(1.0)
    assert removal.errors == sorted(removal.errors) and sorted(removal.order) == list(range(groups))


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("group", [1, 16])
def test_refitting_loses_less_than_deleting_the_same_columns_and_than_keeping_the_largest(
    seed: int, group: int
) -> None:
    weight, x = problem(seed, inputs=96)
    half = 48 // group
    kept = removal_order(weight, x.T @ x, group).kept(half)
    ours = lost(weight, x, kept, refit_weight(weight, x.T @ x, kept, group), group)
    norms = weight.square().sum(0).view(-1, group).sum(1)
    largest = sorted(norms.argsort()[-half:].tolist())
    assert ours < 0.7 * lost(weight, x, kept, weight[:, group_columns(kept, group)], group)
    assert ours < 0.7 * lost(weight, x, largest, weight[:, group_columns(largest, group)], group)


def test_a_single_precision_sweep_that_drops_dead_columns_loses_what_a_naive_exact_one_loses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    weight, x = problem(3, inputs=64)
    weight, hessian = add_damping(weight, x.T @ x)
    exact = naive(weight, hessian)
    monkeypatch.setattr(optimal_brain_surgeon, "EXACT", 0)
    monkeypatch.setattr(optimal_brain_surgeon, "COMPACT", 7)
    found = removal_order(weight, hessian).errors
    torch.testing.assert_close(torch.tensor(found), torch.tensor(exact), rtol=1e-3, atol=1e-6)


def naive(weight: Tensor, hessian: Tensor) -> list[float]:
    """Errors after each removal, with the inverse computed again each time; as shares of the last."""
    alive, errors = list(range(weight.shape[1])), [0.0]
    while alive:
        inverse = torch.linalg.inv(hessian[alive][:, alive])
        now = weight @ hessian[:, alive] @ inverse
        scores = now.square().sum(0) / inverse.diagonal()
        errors.append(errors[-1] + float(scores.min()))
        del alive[int(scores.argmin())]
    return [error / errors[-1] for error in errors]


def test_an_input_that_never_changes_goes_first_and_for_nothing() -> None:
    weight, x = problem(4)
    x[:, 5] = 0.0
    weight, hessian = add_damping(weight, x.T @ x)
    removal = removal_order(weight, hessian)
    assert removal.order[0] == 5 and removal.errors[1] == 0.0
    assert refit_weight(weight, hessian, list(range(48))).isfinite().all()


def test_damping_adds_a_share_of_the_mean_diagonal_and_leaves_what_it_was_given_alone() -> None:
    weight = torch.tensor([[1.0, 2.0, 3.0]], dtype=torch.float64)
    hessian = torch.tensor([[4.0, 0.0, 0.2], [0.0, 0.0, 0.0], [0.2, 0.0, 0.5]], dtype=torch.float64)
    given = weight.clone(), hessian.clone()
    damped_weight, damped = add_damping(weight, hessian, damping=0.1)  # the mean of the diagonal is 1.5
    assert damped_weight.tolist() == [[1.0, 0.0, 3.0]]
    wanted = torch.tensor([[4.15, 0.0, 0.2], [0.0, 1.0, 0.0], [0.2, 0.0, 0.65]], dtype=torch.float64)
    torch.testing.assert_close(damped, wanted)
    assert torch.equal(weight, given[0]) and torch.equal(hessian, given[1])


def test_the_groups_that_stay_are_in_their_original_order() -> None:
    removal = Removal([3, 0, 4, 2, 1], [0.0, 0.1, 0.2, 0.4, 0.7, 1.0])
    assert removal.kept(3) == [1, 2, 4] and removal.kept(0) == [] and removal.kept(5) == [0, 1, 2, 3, 4]


def test_nothing_kept_is_a_weight_without_columns() -> None:
    weight, x = problem(5)
    assert refit_weight(weight, x.T @ x, []).shape == (12, 0)
