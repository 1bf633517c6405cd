"""Shared by all pruning: the schedule, exact cuts, what is pruned, densities, and zeros that stay."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from models.backbones.freeze import freeze
from models.backbones.transformers_backbone import wrap_encoder
from models.compression.dendrite.module import add_dendrites, attach_dendrites
from models.compression.magnitude import Magnitude
from models.compression.pruning.masks import (
    BinaryMask,
    attach_mask,
    choose_matrices,
    cubic_schedule,
    densities,
    fold_mask,
    keep_pruned_zeros,
    keep_top,
    linear_layers,
    set_masks,
)
from models.compression.settings.pruning import Magnitude as Options
from models.errors import ModelError
from models.heads.attach import attach_head
from models.heads.base import HeadSpec
from tests.models.families import FAMILIES, config_of
from tests.models.helpers import batch, small

# Of the published form with N = 73,632 steps, a warm-up of 12,000 at each end, 1 to 0.1.
SCHEDULE = {0: 1.0, 12_000: 1.0, 20_000: 0.631, 30_000: 0.333, 40_000: 0.175, 50_000: 0.112, 61_632: 0.1, 73_632: 0.1}


@pytest.mark.parametrize(("step", "density"), SCHEDULE.items())
def test_the_density_falls_with_the_third_power_between_the_warm_up_and_the_recovery(step: int, density: float) -> None:
    assert cubic_schedule(step, 1.0, 0.1, 12_000, 61_632) == pytest.approx(density, abs=5e-4)


def test_a_schedule_without_a_ramp_is_at_its_end_from_the_start() -> None:
    assert cubic_schedule(0, 1.0, 0.1, 0, 0) == 0.1


@pytest.mark.parametrize("density", [0.5, 0.3, 0.1, 0.03, 1.0])
def test_a_cut_keeps_its_share_exactly_even_among_equal_scores(density: float) -> None:
    torch.manual_seed(0)
    for scores in (torch.randn(37, 53), torch.zeros(37, 53), torch.randn(37, 53).sign()):
        kept = keep_top([scores], density)[0]
        assert int(kept.sum()) == round(density * scores.numel())
        assert kept.sum() in (0, kept.numel()) or scores[kept == 1].min() >= scores[kept == 0].max() or density == 1.0


def test_one_cut_over_all_keeps_the_highest_wherever_they_are() -> None:
    high, low = torch.full((4, 4), 2.0), torch.ones(2, 8)
    kept = keep_top([low, high], 0.5)
    assert int(kept[0].sum()) == 0 and int(kept[1].sum()) == 16


@pytest.mark.parametrize(("scope", "expected"), [("local", [8, 4]), ("global", [4, 8])])
def test_masks_keep_a_share_of_each_matrix_or_of_all_together(scope: str, expected: list[int]) -> None:
    scores = [torch.zeros(4, 4), torch.full((2, 4), 5.0)]
    scores[0][0, :4] = 1.0
    masks = [BinaryMask(score) for score in scores]
    set_masks(0.5, masks, scores, scope)
    assert [int(mask.kept.sum()) for mask in masks] == expected
    assert masks[0].kept[0].all(), "the highest scores of the first"


def test_the_six_matrices_of_each_block_are_pruned_and_nothing_else() -> None:
    model = small()
    chosen = choose_matrices(model, None)
    assert len(chosen) == 12 and sum(m.weight.numel() for m in chosen.values()) == 2 * (4 * 32 * 32 + 2 * 32 * 48)
    assert not any("embeddings" in name or "pooler" in name or "classifier" in name for name in chosen)
    # 12 L H^2: bert-tiny's share of the published table.
    tiny = small(layers=2, hidden=128, heads=2, intermediate=512)
    assert sum(m.weight.numel() for m in choose_matrices(tiny, None).values()) == 393_216


# Linear layers of the whole encoder that are in none of its blocks.
OUTSIDE = {
    "Albert": ["encoder.embedding_hidden_mapping_in"],
    "Electra": ["embeddings_project"],
    "MobileBert": ["embeddings.embedding_transformation"],
}


def wrapped(family: str) -> Any:
    return attach_head(*wrap_encoder(config_of(family).to_dict(), {"name": "mean"}, 0.1), HeadSpec(outputs=3))


@pytest.mark.parametrize("family", sorted(set(FAMILIES) - {"SqueezeBert"}))
def test_every_linear_layer_of_the_blocks_is_pruned_whatever_the_family_calls_it(family: str) -> None:
    model = wrapped(family)
    backbone = model.bert.backbone
    expected = {name for name, module in backbone.named_modules() if isinstance(module, nn.Linear)}
    expected -= set(OUTSIDE.get(family, ()))
    chosen = choose_matrices(model, None)
    assert [name for name in linear_layers(model) if name not in chosen] == [
        f"bert.backbone.{name}" for name in OUTSIDE.get(family, ())
    ]
    assert set(chosen) == {f"bert.backbone.{name}" for name in expected}
    # ALBERT's blocks are one; with the masks on nothing else is found.
    assert len(chosen) == (6 if family == "Albert" else len(expected))
    for matrix in chosen.values():
        attach_mask(matrix, BinaryMask(matrix.weight))
    assert set(choose_matrices(model, None)) == set(chosen)
    known = Magnitude(Options()).identity_contents(model)
    assert bool(known) == (family not in ("Electra", "Roberta", "XLMRoberta")), "new names are part of a run's identity"


def test_dendrites_in_the_blocks_are_pruned_with_them() -> None:
    model = small()
    add_dendrites(attach_dendrites(model, ["bert.encoder.layer.0.output.dense"]), 2, "tanh")
    assert len(choose_matrices(model, None)) == 12 + 2


def with_convolution() -> Any:
    model = small()
    model.bert.encoder.layer[0].add_module("convolution", nn.Conv1d(32, 32, 3))
    return model


@pytest.mark.parametrize(
    ("make", "reason"), [(with_convolution, "Conv1d"), (lambda: wrapped("SqueezeBert"), "no blocks of linear layers")]
)
def test_blocks_with_other_weights_are_refused_before_any_training(make: Callable[[], Any], reason: str) -> None:
    with pytest.raises(ModelError, match=rf"{reason}.*Try: 'compression\.first\.matrices=<one of "):
        Magnitude(Options(), "first").check(make())


@pytest.mark.parametrize("family", ["XLM", "DistilBert"])
def test_the_tables_of_any_family_can_be_frozen(family: str) -> None:
    model = wrapped(family)
    freeze(model, "embeddings")
    assert not model.bert.backbone.get_input_embeddings().weight.requires_grad
    assert all(matrix.weight.requires_grad for matrix in choose_matrices(model, None).values())


def test_a_pattern_chooses_other_matrices_such_as_the_word_table_of_a_bag_of_words() -> None:
    model = small(family="dsn", readout={"name": "mean"})
    assert list(choose_matrices(model, "*word_embeddings")) == ["bert.embeddings.word_embeddings"]
    with pytest.raises(ModelError, match=r"no blocks.*Try: 'matrices=<one of bert\.embeddings\.position_embeddings"):
        choose_matrices(model, None)
    with pytest.raises(ModelError, match=r"matrices=\*query\* matches none"):
        choose_matrices(model, "*query*")


def test_densities_are_of_the_pruned_matrices_the_encoder_and_the_whole_model() -> None:
    model = small()
    chosen = choose_matrices(model, None)
    prunable = sum(matrix.weight.numel() for matrix in chosen.values())
    encoder = sum(p.numel() for p in model.bert.encoder.parameters())
    whole = sum(p.numel() for p in model.parameters())
    kept = {name: torch.zeros_like(matrix.weight, dtype=torch.bool) for name, matrix in chosen.items()}
    kept["bert.encoder.layer.1.output.dense"][:16] = True  # a half of it
    found = densities(model, kept)
    gone = prunable - 16 * 48
    assert found["prune/density_prunable"] == pytest.approx(16 * 48 / prunable)
    assert found["prune/density_encoder"] == pytest.approx(1 - gone / encoder)
    assert found["prune/density_model"] == pytest.approx(1 - gone / whole)
    assert found["prune/density_2_output"] == 0.5 and found["prune/density_1_query"] == 0.0


def test_folding_leaves_a_plain_model_with_the_same_numbers() -> None:
    model, inputs = small(), batch()
    for module in choose_matrices(model, None).values():
        mask = BinaryMask(module.weight)
        mask.kept.copy_((torch.rand_like(module.weight) < 0.4).float())
        attach_mask(module, mask)
    masked = model(**inputs)
    for module in choose_matrices(model, None).values():
        fold_mask(module)
    assert all(type(module) is nn.Linear for module in choose_matrices(model, None).values())
    assert model.state_dict().keys() == small().state_dict().keys()
    assert float((model(**inputs) - masked).detach().abs().max()) <= 1e-6


def test_zeros_of_a_pruned_model_outlive_another_training_and_others_do_not() -> None:
    model = small()
    query, value = (getattr(model.bert.encoder.layer[0].attention.self, name) for name in ("query", "value"))
    with torch.no_grad():
        for matrix in (query, value):
            matrix.weight[:10] = 0.0
    model.architecture["pruned"] = ["bert.encoder.layer.0.attention.self.query", "bert.encoder.layer.9.gone"]
    with keep_pruned_zeros(model):
        optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
        for seed in range(3):
            optimizer.zero_grad()
            model.train()(**batch(seed=seed)).square().sum().backward()
            optimizer.step()
    assert type(query) is nn.Linear and not query.weight[:10].any() and query.weight[10:].all()
    assert value.weight[:10].all(), "zeros that no pruning made are weights like any other"
