"""Biases absorb the mean of what is cut: by hand, and within a pruning."""

from __future__ import annotations

from typing import Any, cast

import pytest
import torch
from torch import nn

from models.backbones.dropout import dropout_generator
from models.compression.magnitude import Magnitude, MagnitudeHook
from models.compression.movement import Movement
from models.compression.pruning.absorption import MOMENTUM, Absorber, BiasAbsorption
from models.compression.pruning.masks import choose_matrices
from models.compression.settings.pruning import Magnitude as MagnitudeOptions
from models.compression.settings.pruning import Movement as MovementOptions
from models.errors import ModelError
from tests.models.compression.pruning_context import SmallContext
from tests.models.helpers import BI_ENCODER, batch, small

INPUTS = torch.tensor([[1.0, 2, 0], [3, 0, 1], [2, 1, 2]])
MASK = torch.tensor([[1.0, 0, 1], [0, 1, 1]])


def layer() -> nn.Linear:
    found = nn.Linear(3, 2)
    with torch.no_grad():
        found.weight.copy_(torch.tensor([[1, -1, 2], [0.5, 0, -1]]))
        found.bias.copy_(torch.tensor([0.1, -0.2]))
    return found


def test_a_bias_takes_over_the_mean_and_gives_it_back() -> None:
    linear = layer()
    dense = linear(INPUTS).detach()
    part = BiasAbsorption(linear)
    part.observe(INPUTS, None)
    assert part.mean.tolist() == [2, 1, 1]
    part.move(torch.ones(2, 3), MASK)
    masked = (INPUTS @ (linear.weight * MASK).T).detach()
    assert torch.allclose(linear.bias, torch.tensor([-0.9, 0.8]))
    assert float((masked + torch.tensor([0.1, -0.2]) - dense).square().sum()) == pytest.approx(8.5)
    assert float((masked + linear.bias.detach() - dense).square().sum()) == pytest.approx(2.5)
    part.mean += 5  # moved by later batches; and the weights behind the mask decay
    with torch.no_grad():
        linear.weight *= 0.5
    part.move(MASK, torch.ones(2, 3))
    assert torch.allclose(linear.bias, torch.tensor([0.1, -0.2])) and not part.held.any()


def test_the_mean_is_over_real_tokens_and_first_over_all_batches_alike() -> None:
    part, mask = BiasAbsorption(layer()), torch.tensor([[1, 1, 0], [1, 0, 0]])
    states = torch.randn(2, 3, 3, generator=torch.Generator().manual_seed(0))
    part.observe(states, mask)
    assert torch.allclose(part.mean, states[mask.bool()].mean(0))
    part.observe(states[:, :1], mask)  # a layer that computes the first token alone
    assert torch.allclose(part.mean, (states[mask.bool()].mean(0) + states[:, 0].mean(0)) / 2)
    part.seen, before = 1000, part.mean.clone()
    part.observe(states[0, :2], mask)  # chosen tokens
    assert torch.allclose(part.mean, MOMENTUM * before + (1 - MOMENTUM) * states[0, :2].mean(0))


def test_a_batch_that_is_not_finite_leaves_the_mean_as_it_is() -> None:
    part = BiasAbsorption(layer())
    part.observe(INPUTS, None)
    part.observe(INPUTS / 0, None)
    assert part.mean.tolist() == [2, 1, 1]


def test_a_checkpoint_holds_the_means_and_what_was_absorbed() -> None:
    linear = layer()
    first, second = Absorber({"a": linear}), Absorber({"a": linear})
    with first.watch(None):
        linear(INPUTS)
    first.parts["a"].move(torch.ones(2, 3), MASK)
    second.load(first.state())
    assert second.parts["a"].seen == 1 and torch.equal(second.parts["a"].mean, torch.tensor([2.0, 1, 1]))
    assert torch.equal(second.parts["a"].held, first.parts["a"].held)


def test_one_cut_changes_the_outputs_less_with_absorption() -> None:
    inputs, change = batch(seed=99), {}
    for absorb in (False, True):
        model = small()
        for module in model.bert.modules():
            if isinstance(module, nn.LayerNorm):
                nn.init.ones_(module.bias)  # inputs with a mean
            elif isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, generator=torch.Generator().manual_seed(0))
        dense = model.eval()(**inputs)
        options = MagnitudeOptions(absorb=absorb, density=0.5, epochs=0.0, start=0.0, end=0.0)
        Magnitude(options).run(model, cast(Any, SmallContext()))
        assert not any(linear._forward_pre_hooks for linear in model.modules())
        layers = model.bert.encoder.layer
        change[absorb] = float((model(**inputs) - dense).detach().square().sum())
        assert bool((layers[0].output.dense.weight == 0).any())
    assert change[True] < 0.7 * change[False]


def test_the_first_means_are_of_inputs_from_which_nothing_is_dropped() -> None:
    means = []
    for seed in (0, 1):
        model = small(dropout=0.5).train()
        hook = MagnitudeHook(MagnitudeOptions(absorb=True), choose_matrices(model, None), cast(Any, SmallContext()))
        dropout_generator.seed(seed)
        torch.manual_seed(seed)
        hook.begin(model, 10)
        assert hook.absorber is not None
        means.append(torch.cat([part.mean for part in hook.absorber.parts.values()]))
    assert means[0].any() and torch.equal(*means)


def test_movement_with_absorption_trains_to_its_density_and_folds_exactly() -> None:
    context = SmallContext(12)
    options = MovementOptions(absorb=True, density=0.3, every=1, start=0.25, end=0.75)
    Movement(options).run(small(), cast(Any, context))
    assert context.added["prune/density_prunable"] == pytest.approx(0.3, abs=2e-3)
    assert context.added["prune/fold_error"] <= 1e-6


def test_tables_have_no_bias_to_absorb() -> None:
    with pytest.raises(ModelError, match="word_embeddings has none"):
        Magnitude(MagnitudeOptions(absorb=True, matrices="*word_embeddings")).check(small())


def test_a_bi_encoder_is_pruned_without_absorption_because_its_padding_is_not_in_the_mask() -> None:
    model = small(readout=BI_ENCODER)
    with pytest.raises(ModelError, match=r"bi-encoder.*Try: compression\.magnitude\.absorb=false"):
        Magnitude(MagnitudeOptions(absorb=True), "magnitude").check(model)
    Magnitude(MagnitudeOptions(), "magnitude").check(model)


def test_a_pruned_model_is_not_pruned_to_more_weights_than_it_has_left() -> None:
    context, model = cast(Any, SmallContext()), small()
    Magnitude(MagnitudeOptions(density=0.3, epochs=0.0), "m").run(model, context)
    with pytest.raises(ModelError, match=r"m.density=0.5 would remove nothing: the model was pruned, and 0.3 of these"):
        Magnitude(MagnitudeOptions(density=0.5), "m").check(model)
    for density in (0.3, 0.2, 1.0):  # 1: a control
        Magnitude(MagnitudeOptions(density=density), "m").check(model)
    Movement(MovementOptions(form="soft"), "m").check(model)
    Magnitude(MagnitudeOptions(density=0.5, matrices="*word_embeddings"), "m").check(model)
