"""Random pruning."""

from __future__ import annotations

from typing import Any, cast

import pytest
import torch

from models.compression.pruning.masks import choose_matrices, keep_pruned_zeros
from models.compression.random_pruning import RandomPruning
from models.compression.settings.pruning import RandomPruning as Options
from tests.models.compression.pruning_context import SmallContext
from tests.models.helpers import small


def prune(model: Any, seed: int = 0, **options: Any) -> SmallContext:
    context = SmallContext()
    context.seed = seed
    settings = Options(**({"every": 1, "start": 0.25, "end": 0.75} | options))
    assert RandomPruning(settings).run(model, cast(Any, context)) is model
    return context


def kept(model: Any) -> dict[str, torch.Tensor]:
    return {name: matrix.weight != 0 for name, matrix in choose_matrices(model, None).items()}


def test_every_matrix_keeps_its_share_and_no_removed_weight_comes_back() -> None:
    context = prune(small(), density=0.3)
    found = [point["prune/density_prunable"] for point in context.points]
    assert found[:3] == [1.0, 1.0, 1.0] and found == sorted(found, reverse=True)
    assert found[8:] == pytest.approx([0.3] * 4, abs=1e-3)
    assert context.added["prune/density_1_query"] == pytest.approx(0.3, abs=1e-3)
    flips = sum(point["prune/mask_flip_rate"] for point in context.points)
    assert flips == pytest.approx(0.7, abs=1e-3), "each removed weight changes once"


def test_what_is_removed_depends_on_the_seed_and_the_matrix_but_not_on_the_weights() -> None:
    one, same, other, trained_less = (small() for _ in range(4))
    prune(one, density=0.5)
    prune(same, density=0.5)
    prune(other, density=0.5, seed=1)
    prune(trained_less, density=0.5, epochs=0.0, start=0.0, end=0.0)
    first, again, another, untrained = kept(one), kept(same), kept(other), kept(trained_less)
    for name, places in first.items():
        assert torch.equal(places, again[name]) and torch.equal(places, untrained[name])
        assert 0.3 < float((places == another[name]).float().mean()) < 0.7, "independent draws agree on half"
    query, key = (
        places
        for name, places in first.items()
        if name.endswith(("layer.0.attention.self.query", "0.attention.self.key"))
    )
    assert not torch.equal(query, key)


def test_removed_weights_are_neither_the_smallest_nor_the_largest() -> None:
    model, before = small(), small().state_dict()
    prune(model, density=0.5, epochs=0.0, start=0.0, end=0.0)
    sizes = torch.cat([before[f"{name}.weight"].abs().flatten() for name in kept(model)])
    stayed = torch.cat([places.flatten() for places in kept(model).values()])
    assert float(sizes[stayed].mean() / sizes[~stayed].mean()) == pytest.approx(1.0, abs=0.05)


def test_weights_that_an_earlier_stage_pruned_go_first() -> None:
    model = small()
    prune(model, density=0.5)
    gone = {name: ~places for name, places in kept(model).items()}
    with keep_pruned_zeros(model):
        context = prune(model, density=0.2, seed=1)
    assert context.added["prune/density_prunable"] == pytest.approx(0.2, abs=1e-3)
    assert all(not matrix.weight[gone[name]].any() for name, matrix in choose_matrices(model, None).items())


def test_over_all_matrices_each_keeps_about_the_same_share() -> None:
    context = prune(small(), density=0.3, scope="global")
    assert context.added["prune/density_prunable"] == pytest.approx(0.3, abs=1e-3)
    assert context.added["prune/density_1_query"] == pytest.approx(0.3, abs=0.15)
