"""Magnitude pruning."""

from __future__ import annotations

from typing import Any, cast

import pytest
import torch

from models.compression.magnitude import Magnitude
from models.compression.pruning.masks import choose_matrices, keep_pruned_zeros
from models.compression.settings.chain import missing_requirements
from models.compression.settings.pruning import Magnitude as Options
from tests.models.compression.pruning_context import SmallContext
from tests.models.helpers import batch, small


def prune(model: Any, **options: Any) -> SmallContext:
    context = SmallContext()
    settings = Options(**({"every": 1, "start": 0.25, "end": 0.75} | options))
    assert Magnitude(settings).run(model, cast(Any, context)) is model
    return context


def test_each_matrix_loses_its_smallest_weights_step_by_step() -> None:
    context = prune(small(), density=0.3)
    found = [point["prune/density_prunable"] for point in context.points]
    assert found[:3] == [1.0, 1.0, 1.0] and found == sorted(found, reverse=True)
    assert found[8:] == pytest.approx([0.3] * 4, abs=1e-3)
    assert [point["may_keep"] for point in context.points] == [0.0] * 8 + [1.0] * 4
    assert context.added["prune/density_1_query"] == pytest.approx(0.3, abs=1e-3)
    assert context.points[5]["prune/mask_flip_rate"] > 0 and context.points[1]["prune/mask_flip_rate"] == 0


def test_folded_logits_are_the_masked_ones_and_the_model_is_plain() -> None:
    model = small()
    context = prune(model, density=0.1)
    assert context.added["prune/fold_error"] <= 1e-6
    assert model.state_dict().keys() == small().state_dict().keys()
    query = "bert.encoder.layer.0.attention.self.query"
    masked = (
        context.masked[f"{query}.parametrizations.weight.original"]
        * context.masked[f"{query}.parametrizations.weight.0.kept"]
    )
    assert torch.equal(model.state_dict()[f"{query}.weight"], masked)
    assert sorted(choose_matrices(model, None)) == model.architecture["pruned"]


def test_one_cut_over_all_matrices_spares_those_with_large_weights() -> None:
    model = small()
    with torch.no_grad():
        model.bert.encoder.layer[0].output.dense.weight.mul_(10)
    context = prune(model, density=0.3, scope="global")
    assert context.added["prune/density_prunable"] == pytest.approx(0.3, abs=1e-3)
    assert context.added["prune/density_1_output"] > 0.8 > 0.3 > context.added["prune/density_2_output"]


def test_without_epochs_the_smallest_go_and_the_others_stay_as_they_are() -> None:
    model, before = small(), small().state_dict()
    context = prune(model, density=0.5, epochs=0.0, start=0.0, end=0.0)
    assert not context.points and context.added["prune/density_prunable"] == 0.5
    for name, matrix in choose_matrices(model, None).items():
        old = before[f"{name}.weight"]
        kept = matrix.weight != 0
        assert torch.equal(matrix.weight[kept], old[kept]) and old[kept].abs().min() >= old[~kept].abs().max()


def test_a_pruned_model_can_be_pruned_again_and_its_first_zeros_stay() -> None:
    model = small()
    prune(model, density=0.5)
    gone = {name: matrix.weight == 0 for name, matrix in choose_matrices(model, None).items()}
    with keep_pruned_zeros(model):
        context = prune(model, density=0.2)
    assert context.added["prune/density_prunable"] == pytest.approx(0.2, abs=1e-3)
    assert all(not matrix.weight[gone[name]].any() for name, matrix in choose_matrices(model, None).items())
    assert model.state_dict().keys() == small().state_dict().keys()


def test_embeddings_stay_as_they_are_while_frozen_and_are_free_again_afterwards() -> None:
    for frozen in (True, False):
        model = small()
        prune(model, density=0.5, freeze_embeddings=frozen)
        same = torch.equal(
            model.bert.embeddings.position_embeddings.weight, small().bert.embeddings.position_embeddings.weight
        )
        assert same is frozen and all(p.requires_grad for p in model.parameters())


def test_the_word_table_of_a_bag_of_words_can_be_pruned_and_is_trained_meanwhile() -> None:
    model = small(family="dsn", readout={"name": "mean"})
    context = prune(model, density=0.2, matrices="*word_embeddings")
    table = model.bert.embeddings.word_embeddings.weight
    assert torch.count_nonzero(table) == round(0.2 * table.numel()) and "prune/density_encoder" not in context.added
    assert not torch.equal(
        table[table != 0],
        small(family="dsn", readout={"name": "mean"}).bert.embeddings.word_embeddings.weight[table != 0],
    )
    assert model(**batch()).isfinite().all()


def test_settings_that_cannot_be_are_refused_with_the_cure() -> None:
    assert (
        "Try: compression.m.start=0.1" in missing_requirements({"m": Options(start=0.5, end=0.2)}, has_encoder=True)[0]
    )
    refused = missing_requirements({"m": Options()}, has_encoder=False)[0]
    assert "compression.m.matrices=*word_embeddings" in refused
    assert missing_requirements({"m": Options(matrices="*word_embeddings")}, has_encoder=False) == []
