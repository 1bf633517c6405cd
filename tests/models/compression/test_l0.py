"""L0 pruning with hard concrete gates."""

from __future__ import annotations

from typing import Any, cast

import pytest
import torch

from models.compression.l0 import L0, GateMask, open_probability
from models.compression.settings.pruning import L0 as Options
from tests.models.compression.pruning_context import SmallContext
from tests.models.helpers import small


def test_a_gate_starts_almost_surely_open_and_the_penalty_is_that_probability() -> None:
    torch.manual_seed(0)
    gate = GateMask(torch.ones(1000, 1000), 2.197, 0.1)
    assert float(open_probability(gate.scores.detach())[0, 0]) == pytest.approx(0.978, abs=5e-4)
    drawn = gate.noisy_factor()
    assert float((drawn > 0).float().mean()) == pytest.approx(
        float(open_probability(gate.scores.detach())[0, 0]), abs=2e-3
    )
    assert float(gate.factor().detach()[0, 0]) == pytest.approx(0.98, abs=1e-3)
    assert float(drawn.detach().min()) == 0.0 and float(drawn.detach().max()) == 1.0


@pytest.mark.parametrize(("score", "is_open"), [(-2.399, False), (-2.397, True)])
def test_a_gate_is_exactly_closed_below_its_published_score(score: float, is_open: bool) -> None:
    assert bool(GateMask(torch.ones(1, 1), score, 0.1).factor() > 0) is is_open


def test_gates_are_drawn_while_training_and_fixed_while_predicting() -> None:
    gate, weight = GateMask(torch.ones(8, 8), 0.0, 0.1), torch.ones(8, 8)
    assert not torch.equal(gate.train()(weight), gate(weight))
    assert torch.equal(gate.eval()(weight), gate(weight))
    gate.train()(weight).sum().backward()
    assert gate.scores.grad is not None and gate.scores.grad.abs().sum() > 0


def test_the_penalty_closes_gates_and_what_is_left_is_folded_in() -> None:
    found, model = {}, small()
    for penalty in (0.0, 125.0):
        model = small()
        context = SmallContext(40)
        L0(Options(penalty=penalty, score_lr=0.3, every=1)).run(model, cast(Any, context))
        found[penalty] = context.added["prune/density_prunable"]
        assert context.added["prune/fold_error"] <= 1e-6
    assert found[125.0] < 0.8 and found[0.0] > 0.95
    assert model.state_dict().keys() == small().state_dict().keys()
    query = "bert.encoder.layer.0.attention.self.query"
    gate = GateMask(torch.ones(1), 0.0, 0.1)
    gate.scores = torch.nn.Parameter(context.masked[f"{query}.parametrizations.weight.0.scores"])
    whole = context.masked[f"{query}.parametrizations.weight.original"]
    assert torch.equal(model.state_dict()[f"{query}.weight"], whole * gate.factor())
    assert context.points[-1]["prune/density_prunable"] == pytest.approx(found[125.0], abs=1e-3)


def test_gates_need_training() -> None:
    assert "only training closes gates" in Options(epochs=0.0).contradictions("l0")[0]
