"""The stage of dendrites from phase to phase, and what it learns that a linear layer cannot."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from models.compression.dendrites import Dendrites
from models.compression.pruning.masks import PRUNED
from models.compression.settings.learn import Dendrites as Options
from models.errors import ModelError
from tests.models.compression.tensor_context import TensorContext, parity, small, started
from tests.models.helpers import BI_ENCODER
from tests.models.helpers import small as network

FAST = {"switch": "fixed", "epochs": 3, "p_epochs": 3, "p_batch_size": 200}


@pytest.mark.parametrize("mode", ["gd", "cascor", "random", "restart"])
def test_a_phase_that_does_not_pay_leaves_no_trace(mode: str) -> None:
    model = started()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    context = small()
    found = Dendrites(Options(mode=mode, min_gain=1.0, tries=2, **FAST)).run(model, context)
    assert len(context.trained) == 2
    assert type(found.classifier) is nn.Linear and found.architecture == {}
    assert all(torch.equal(tensor, before[name]) for name, tensor in found.state_dict().items())
    assert context.facts["dendrites/count"] == context.facts["dendrites/params_extra"] == 0


def test_rollback_goes_back_to_the_dendrites_before_bit_for_bit() -> None:
    first, second = small(), small()
    kept = Dendrites(Options(maximum=1, tries=9, **FAST)).run(started(), first)
    second.worth = len(first.trained)
    again = Dendrites(Options(maximum=2, tries=1, attempts=9, **FAST)).run(started(), second)
    assert len(second.trained) == len(first.trained) + 1
    assert second.facts["dendrites/count"] == first.facts["dendrites/count"] == 1
    assert second.facts["dendrites/best"] == first.facts["dendrites/best"]
    for name, tensor in kept.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name]), name


@pytest.mark.parametrize("mode", ["gd", "cascor", "restart"])
def test_a_killed_stage_goes_on_to_the_same_weights(mode: str) -> None:
    options = Options(mode=mode, maximum=3, attempts=4, tries=4, **FAST)
    straight, broken = small(), small(killed_in="phase-2")
    expected = Dendrites(options).run(started(), straight)
    with pytest.raises(KeyboardInterrupt):
        Dendrites(options).run(started(), broken)
    torch.rand(7)  # another process draws other numbers
    broken.killed_in = ""
    found = Dendrites(options).run(started(), broken)
    assert broken.facts == straight.facts and len(broken.trained) == len(straight.trained)
    for name, tensor in expected.state_dict().items():
        assert torch.equal(tensor, found.state_dict()[name]), name


def test_all_arms_train_the_same_phases_at_the_same_rates() -> None:
    changes = {}
    for mode in ("gd", "cascor", "random", "restart"):
        context = small()
        Dendrites(Options(mode=mode, maximum=3, tries=3, attempts=3, lr_factor=0.5, **FAST)).run(started(), context)
        changes[mode] = [{key: value for key, value in c.items() if key != "moments"} for c in context.trained]
    assert changes["gd"] == changes["cascor"] == changes["random"] == changes["restart"]
    assert [change["lr"] for change in changes["gd"]] == [0.01, 0.005, 0.0025]


def test_moments_of_what_stays_are_handed_on_and_new_weights_begin_without() -> None:
    context = small()
    Dendrites(Options(maximum=2, tries=9, **FAST)).run(started(), context)
    kept = [point["dendrites/pays"] for point in context.points if "dendrites/pays" in point]
    after = context.trained[kept.index(1.0) + 1]["moments"]
    assert "classifier.dendrites.0.linear.weight/exp_avg" in after
    assert not any(name.startswith("classifier.dendrites.1.") for name in after)


def test_frozen_dendrites_stay_as_they_were_made_and_only_learn_to_be_heard() -> None:
    for mode, is_frozen in (("cascor", True), ("random", True), ("gd", False)):
        context, model = small(killed_in="phase-0"), started()
        with pytest.raises(KeyboardInterrupt):
            Dendrites(Options(mode=mode, **FAST)).run(model, context)
        trained = {name for name, p in model.named_parameters() if p.requires_grad}
        assert ("classifier.dendrites.0.linear.weight" in trained) != is_frozen
        assert {"classifier.dendrites.0.to_soma", "classifier.soma.weight"} <= trained


@pytest.mark.parametrize(("mode", "low", "high"), [("gd", 0.92, 1.0), ("cascor", 0.86, 1.0), ("random", 0.0, 0.6)])
def test_dendrites_learn_what_no_linear_layer_can(mode: str, low: float, high: float) -> None:
    """Six dendrites, mean over three seeds; random ones and the layer alone stay near chance."""
    plain, found = [], []
    for seed in range(3):
        train, select, (x, y) = parity(seed)
        context, model = TensorContext(train, select, seed=seed, lr=0.06, batch_size=500), started(seed)
        context.train(model, phase="alone", epochs=10, lr=0.06)
        plain.append(float((model(x).argmax(1) == y).float().mean()))
        options = Options(
            mode=mode, switch="fixed", epochs=12, maximum=6, tries=6, attempts=6, p_epochs=10, p_lr=0.1,
            p_batch_size=1000,
        )  # fmt: skip
        grown = Dendrites(options).run(model, context)
        found.append(float((grown(x).argmax(1) == y).float().mean()))
    assert sum(plain) / 3 < 0.58
    assert low <= sum(found) / 3 <= high, found


def test_samples_inside_a_bi_encoder_are_refused_because_its_padding_is_not_in_the_mask() -> None:
    model, inside = network(readout=BI_ENCODER), ["bert.encoder"]
    with pytest.raises(ModelError, match=r"bi-encoder.*mode=gd, or 'compression\.dendrites\.targets=\[classifier\]'"):
        Dendrites(Options(mode="cascor", targets=inside), "dendrites").check(model)
    Dendrites(Options(mode="gd", targets=inside), "dendrites").check(model)
    Dendrites(Options(mode="cascor"), "dendrites").check(model)


def test_dendrites_beside_pruned_weights_are_refused_because_training_would_undo_the_zeros() -> None:
    model, place = network(), "bert.encoder.layer.0.output.dense"
    model.architecture[PRUNED] = [place]
    with pytest.raises(ModelError, match=rf"targets: training {place} with dendrites would undo the zeros.*Try: "):
        Dendrites(Options(targets=["bert.encoder"]), "dendrites").check(model)
    Dendrites(Options(targets=["classifier"]), "dendrites").check(model)
    Dendrites(Options(targets=["bert.encoder"], mode="restart"), "dendrites").check(model)
