"""Movement pruning, hard and soft."""

from __future__ import annotations

from typing import Any, cast

import pytest
import torch

from models.compression.movement import (
    FASTEST,
    FLOOR,
    Movement,
    MovementHook,
    ScoredMask,
    StraightThrough,
    removed_per_step,
)
from models.compression.pruning.masks import PRUNED, choose_matrices, cubic_schedule, keep_pruned_zeros
from models.compression.settings.pruning import Movement as Options
from tests.models.compression.pruning_context import SmallContext
from tests.models.helpers import small


def prune(model: Any, steps: int = 12, **options: Any) -> SmallContext:
    context = SmallContext(steps)
    settings = Options(**({"every": 1, "start": 0.25, "end": 0.75} | options))
    Movement(settings).run(model, cast(Any, context))
    return context


def test_scores_get_the_gradient_of_the_mask_and_weights_that_of_what_is_kept() -> None:
    torch.manual_seed(0)
    weight, scores = (torch.randn(3, 4, dtype=torch.float64, requires_grad=True) for _ in range(2))
    kept = (torch.rand(3, 4) < 0.5).double().requires_grad_()
    inputs = torch.randn(5, 4, dtype=torch.float64)

    def loss(masked: torch.Tensor) -> torch.Tensor:
        return (inputs @ masked.T).tanh().square().sum()

    loss(StraightThrough.apply(weight, scores, kept.detach())).backward()  # type: ignore[no-untyped-call]
    through = scores.grad
    own = weight.grad
    weight.grad = None
    loss(weight * kept).backward()  # what autograd makes of the product, mask included
    assert torch.allclose(through, kept.grad) and torch.allclose(own, weight.grad)  # type: ignore[arg-type]
    assert bool((through[kept == 0] != 0).any()), "what is pruned goes on being scored"  # type: ignore[index]


def test_a_score_adds_up_how_far_its_weight_was_pushed_from_zero() -> None:
    mask, weight, rate = ScoredMask(torch.randn(2, 3), 0.01), torch.randn(2, 3, requires_grad=True), 0.5
    total = torch.zeros(2, 3)
    for seed in range(4):
        factor = torch.randn(2, 3, generator=torch.Generator().manual_seed(seed))
        (mask(weight) * factor).sum().backward()
        total -= rate * factor * weight.detach()
        with torch.no_grad():
            mask.scores.sub_(rate * mask.scores.grad)  # type: ignore[operator]
            weight.sub_(0.1 * weight.grad)  # type: ignore[operator]
        mask.scores.grad = weight.grad = None
    assert torch.allclose(mask.scores, total, atol=1e-6)


def test_hard_pruning_ends_at_its_density_and_is_not_magnitude_pruning() -> None:
    model = small()
    context = prune(model, density=0.15)
    assert context.added["prune/density_prunable"] == pytest.approx(0.15, abs=1e-3)
    assert (
        context.points[-1]["prune/target_density"] == pytest.approx(0.15) and context.added["prune/fold_error"] <= 1e-6
    )
    assert model.state_dict().keys() == small().state_dict().keys(), "the scores are gone"
    old, new = small().bert.encoder.layer[0].output.dense.weight, model.bert.encoder.layer[0].output.dense.weight
    smallest = old.abs().flatten().kthvalue(old.numel() // 2).values
    assert bool((old.abs()[new != 0] < smallest).any()), "small weights that move away from zero stay"


def test_scores_have_a_rate_of_their_own() -> None:
    mask = MovementHook(Options(score_lr=0.03), choose_matrices(small(), None), cast(Any, SmallContext())).make_mask(
        torch.ones(2, 2)
    )
    assert mask.own_lr == 0.03 and [*mask.parameters()] == [mask.scores] and not mask.scores.any()


def test_soft_pruning_takes_more_the_higher_the_penalty_and_says_what_it_was() -> None:
    found = []
    for penalty in (0.0, 400.0):
        context = prune(small(), 32, form="soft", penalty=penalty, threshold=0.45, score_lr=0.2)
        found.append(context.added["prune/density_prunable"])
    assert found[1] < 0.9 * found[0]
    last = context.points[-1]
    assert last["prune/threshold"] == 0.45 and last["prune/lambda"] == 400.0 and 0 < last["prune/penalty"] < 0.5
    ramp = context.points[15]
    assert ramp["prune/lambda"] == pytest.approx(400 * ramp["prune/threshold"] / 0.45), "it follows the threshold"
    assert context.points[5]["prune/density_prunable"] == 1.0


def test_a_matrix_never_loses_everything() -> None:
    matrices = choose_matrices(small(), None)
    moving = MovementHook(Options(form="soft"), matrices, cast(Any, SmallContext()))
    moving.begin(small(), 10)
    moving.value = 0.6
    with torch.no_grad():
        for mask in moving.masks.values():
            mask.scores.uniform_(-9, -8)
    moving.update_masks()
    for mask in moving.masks.values():
        assert int(mask.kept.sum()) == round(FLOOR * mask.kept.numel())


def test_scores_that_are_all_equal_decide_nothing() -> None:
    assert "not" not in "".join(Options().contradictions("m"))
    assert "scores start at 0" in Options(start=0.0).contradictions("m")[0]
    assert "scores start at 0" in Options(epochs=0.0).contradictions("m")[0]


def test_the_published_schedule_keeps_these_shares() -> None:
    kept = {t: cubic_schedule(t, 1.0, 0.15, 5_400, 44_200) for t in (5_400, 5_401, 10_000, 20_000, 30_000, 44_201)}
    wanted = {5_400: 1.0, 5_401: 0.999934, 10_000: 0.732106, 20_000: 0.356239, 30_000: 0.191667, 44_201: 0.15}
    assert kept == pytest.approx(wanted, abs=1e-6)
    falls = [cubic_schedule(t, 1.0, 0.15, 54, 442) - cubic_schedule(t + 1, 1.0, 0.15, 54, 442) for t in range(550)]
    options = Options(density=0.15, start=54 / 550, end=442 / 550)
    assert min(falls) >= 0 and max(falls) <= removed_per_step(options, 550) < 1.01 * max(falls)


def test_a_schedule_that_removes_more_per_step_than_scores_can_choose_is_warned_of() -> None:
    context = prune(small(), 12, density=0.5)
    assert context.added["prune/removed_per_step"] == pytest.approx(3 * 0.5 / 6)
    assert "15,000 steps instead of 12" in context.said[0]
    slow = Options(density=0.5, start=0.098, end=0.804)
    assert removed_per_step(slow, 20_000) < FASTEST < removed_per_step(slow, 6_315)
    assert not any("scores choose badly" in told for told in prune(small(), 12, form="soft").said)


def test_steps_take_the_place_of_epochs_and_a_pretrained_start_that_of_the_plain_training() -> None:
    context = SmallContext(12)
    Movement(Options(steps=12, epochs=0.0)).run(small(), cast(Any, context))
    assert context.trained["steps"] == 12 and context.trained["epochs"] is None
    assert Options(starts="pretrained").replaces_training and not Options().replaces_training


def test_zeros_of_an_earlier_pruning_count_as_removed() -> None:
    model = small()
    matrices = choose_matrices(model, None)
    with torch.no_grad():
        for matrix in matrices.values():
            matrix.weight.mul_(torch.rand_like(matrix.weight) < 0.5)
    model.architecture[PRUNED] = sorted(matrices)
    with keep_pruned_zeros(model):
        prune(model, density=0.3)
    for matrix in matrices.values():
        kept = round(0.3 * matrix.weight.numel())
        assert int(matrix.weight.count_nonzero()) == kept
