"""Candidate dendrites: the errors they see, their gradients and statistics, and their training."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from models.build import build
from models.compression.dendrite.candidates import (
    Candidates,
    RunningStatistics,
    Sample,
    candidate_loss,
    observe_samples,
    shuffled_cache,
    train_candidates,
)
from models.compression.dendrite.module import (
    Dendritic,
    add_dendrites,
    attach_dendrites,
)
from models.compression.settings.learn import Dendrites as Options
from models.heads.base import HeadSpec
from models.heads.target_scale import standardise_targets
from models.settings import ModelSettings
from tests.models import helpers
from tests.models.compression.dendrite.layers import head
from tests.models.compression.task_views import Classes, Numbers
from tests.models.compression.tensor_context import Head, small, started


def candidates(module: Dendritic, sample: Sample, **options: Any) -> Candidates:
    chosen = Options(**options)
    return Candidates(module, sample, chosen, chosen.pool, torch.Generator().manual_seed(0))


def test_the_first_slope_of_a_dendrites_weight_is_minus_the_mean_of_error_times_answer() -> None:
    model, x, y = Head(16).double(), torch.randn(50, 16).double(), torch.randint(0, 2, (50,))
    (module,) = attach_dendrites(model, ["classifier"])
    add_dendrites([module], 1, "sigmoid")
    (parts,) = observe_samples(model, [module], Classes(), [({"x": x}, {"labels": y})])
    F.cross_entropy(model(x), y).backward()
    expected = -(parts[0].error * module.dendrite_outputs(x)[0]).mean(0)
    torch.testing.assert_close(module.dendrites[0].to_soma.grad, expected, rtol=0, atol=1e-16)


def test_the_error_of_a_head_is_the_one_hot_label_minus_the_softmax() -> None:
    model, x, y = Head(8).double(), torch.randn(20, 8).double(), torch.randint(0, 2, (20,))
    (parts,) = observe_samples(model, attach_dendrites(model, ["classifier"]), Classes(), [({"x": x}, {"labels": y})])
    torch.testing.assert_close(parts[0].error, F.one_hot(y, 2) - model(x).softmax(1), rtol=0, atol=1e-15)
    torch.testing.assert_close(parts[0].inputs, x)


def test_the_error_of_a_regression_is_twice_the_residual() -> None:
    model, x, y = Head(8, 1).double(), torch.randn(20, 8).double(), torch.randn(20).double()
    (parts,) = observe_samples(model, attach_dendrites(model, ["classifier"]), Numbers(), [({"x": x}, {"labels": y})])
    torch.testing.assert_close(parts[0].error, 2 * (y.unsqueeze(1) - model(x)), rtol=0, atol=1e-14)


def test_the_error_of_standardised_targets_is_that_of_the_head_in_standard_deviations() -> None:
    model, x, y = helpers.small(num_labels=1), helpers.batch(), torch.randn(5)
    (plain,) = observe_samples(model, attach_dendrites(model, ["classifier"]), Numbers(), [(x, {"labels": y})])
    other = helpers.small(num_labels=1)
    standardise_targets(other, 300.0, 50.0, is_fresh=True)
    (found,) = observe_samples(
        other, attach_dendrites(other, ["classifier"]), Numbers(50.0), [(x, {"labels": 300 + 50 * y})]
    )
    torch.testing.assert_close(found[0].error, plain[0].error, rtol=0, atol=1e-4)


@pytest.mark.parametrize("act", ["sigmoid", "tanh"])
def test_a_candidates_gradient_is_the_analytic_one_of_the_covariance(act: str) -> None:
    module, x, error = head(2), torch.randn(64, 16).double(), torch.randn(64, 2).double()
    sample = Sample(x, error, torch.stack(module.dendrite_outputs(x), 1).detach())
    candidate = candidates(module, sample, act=act, pool=3).double()
    answers, running = candidate(sample.inputs, sample.earlier), RunningStatistics(0.99)
    running.update(answers.detach(), error)
    candidate_loss(answers, error, running, "cov").backward()
    slope = answers * (1 - answers) if act == "sigmoid" else 1 - answers**2
    centred = (error - error.mean(0)).unsqueeze(1)
    sign = torch.where((centred * answers).mean(0) < 0, -1.0, 1.0)
    pushed = sign * centred * slope / len(x)  # (P, pool, n)
    for found, expected in [
        (candidate.weight.grad, torch.einsum("pqn,pm->qnm", pushed, x)),
        (candidate.bias.grad, pushed.sum(0)),
        (candidate.lateral.grad, torch.einsum("pqn,pkn->qkn", pushed, sample.earlier)),
    ]:
        torch.testing.assert_close(found, -expected, rtol=0, atol=1e-12)


def test_a_candidates_gradient_is_that_of_the_true_correlation_too() -> None:
    module, x, error = head(0), torch.randn(64, 16).double(), torch.randn(64, 2).double()
    sample = Sample(x, error, x.new_zeros(64, 0, 2))
    candidate = candidates(module, sample, pool=1).double()
    answers, running = candidate(x, sample.earlier), RunningStatistics(0.5)
    running.update(answers.detach(), error)
    (found,) = torch.autograd.grad(candidate_loss(answers, error, running, "corr"), candidate.weight, retain_graph=True)
    a, e = answers[:, 0] - answers[:, 0].mean(0), error - error.mean(0)
    correlation = (a * e).sum(0) / (a.square().sum(0) * e.square().sum(0)).sqrt()
    (expected,) = torch.autograd.grad(-correlation.abs().sum(), candidate.weight)
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-10)


def test_running_statistics_are_those_of_all_batches_when_they_are_alike() -> None:
    answers, error, running = torch.randn(40, 2, 3), torch.randn(40, 3), RunningStatistics(0.9)
    for _ in range(5):
        running.update(answers, error)
    torch.testing.assert_close(running["output"], answers.mean(0))
    centred = (answers - answers.mean(0)) * (error - error.mean(0)).unsqueeze(1)
    torch.testing.assert_close(running["covariance"], centred.mean(0))


def test_padding_is_no_place_that_a_candidate_sees() -> None:
    settings = ModelSettings(name="bert-tiny", layers=2, hidden=8, heads=2, positions=16)
    torch.manual_seed(0)
    model, _ = build(settings, head=HeadSpec(outputs=2), vocab_size=50)
    modules = attach_dendrites(model, ["bert.encoder.layer.0.intermediate.dense"])
    ids, mask = torch.randint(5, 50, (3, 6)), torch.tensor([[1, 1, 0, 0, 0, 0], [1] * 6, [1, 1, 1, 0, 0, 0]])
    labels = torch.tensor([0, 1, 0])
    (short,) = observe_samples(
        model, modules, Classes(), [({"input_ids": ids, "attention_mask": mask}, {"labels": labels})]
    )
    ids, mask = F.pad(ids, (0, 3)), F.pad(mask, (0, 3))
    (long,) = observe_samples(
        model, modules, Classes(), [({"input_ids": ids, "attention_mask": mask}, {"labels": labels})]
    )
    assert short[0].inputs.shape == (11, 8)
    for name in ("inputs", "error"):
        torch.testing.assert_close(getattr(short[0], name), getattr(long[0], name))


def test_samples_come_in_the_order_of_the_modules_whatever_the_order_of_their_calls() -> None:
    settings = ModelSettings(name="bert-tiny", layers=2, hidden=8, heads=2, positions=16)
    model, _ = build(settings, head=HeadSpec(outputs=2), vocab_size=50)
    modules = attach_dendrites(model, ["classifier", "bert.encoder.layer.0.output.dense"])
    (parts,) = observe_samples(
        model, modules, Classes(), [({"input_ids": torch.ones(3, 6).long()}, {"labels": torch.ones(3).long()})]
    )
    assert [tuple(part.inputs.shape) for part in parts] == [(3, 8), (18, 32)]


def test_candidates_come_to_follow_the_error_and_leave_the_network_alone() -> None:
    context, model = small(), started()
    (module,) = attach_dendrites(model, ["classifier"])
    before = copy.deepcopy(model.state_dict())

    def samples() -> Any:
        return observe_samples(model, [module], Classes(), [b[:2] for b in context.batches(batch_size=100)])

    options, draw = Options(p_epochs=20, p_lr=0.05), torch.Generator().manual_seed(0)
    (grown,) = train_candidates([module], shuffled_cache(samples, 200, draw), options, draw)
    assert grown.correlation.abs().mean() > max(0.15, 1.5 * grown.untrained)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    # The statistics are those of the dendrite that comes out, over all rows.
    x, error = context.rows[0], next(iter(shuffled_cache(samples, 600, draw)()))[0]
    answers = grown.dendrite(error.inputs, [])
    pairs = [torch.corrcoef(torch.stack([answers[:, n], error.error[:, n]]))[0, 1] for n in range(2)]
    torch.testing.assert_close(grown.correlation.float(), torch.stack(pairs).detach(), rtol=0, atol=1e-5)
    assert len(x) == len(error.inputs)
