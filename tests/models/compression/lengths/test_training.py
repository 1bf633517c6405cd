"""The training for all lengths: its loss, its gradients, and what it is good for."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor

from models.backbones.lengths import Lengths
from models.compression.distillation.losses import soft_divergence
from models.compression.lengths.chosen import lengths_of, set_lengths
from models.compression.lengths.sampler import draw_shapes, shortest
from models.compression.lengths.training import LengthHook, computing
from models.compression.settings.length import LengthTraining
from tests.models.backbones.test_token_dropping import Watch
from tests.models.compression.task_views import Classes
from tests.models.helpers import batch, small

LABELS = torch.tensor([0, 1, 2, 0, 1])


class Context:
    task, seed = Classes(), 3


def gradients(model: Any) -> dict[str, Tensor]:
    found = {name: parameter.grad.clone() for name, parameter in model.named_parameters() if parameter.grad is not None}
    model.zero_grad()
    return found


def begun(model: Any, given: Lengths | None = None, **options: Any) -> LengthHook:
    hook = LengthHook(cast(Any, Context()), LengthTraining(**options), given)
    hook.begin(model, 10)
    hook.before_step(7)
    return hook


def loss_of(hook: LengthHook, model: Any) -> Tensor:
    output, rows = hook.forward(model, batch(), np.arange(5)), np.arange(5)
    return hook.loss(Classes().loss(output, {"labels": LABELS}), output, {"labels": LABELS}, rows)


@pytest.mark.parametrize("direction", ["full_sub", "sub_full"])
def test_the_gradients_of_a_step_are_those_of_its_passes_one_by_one(direction: str) -> None:
    model = small(layers=3, initializer_range=0.2)
    hook = begun(model, drop=0.5, layer_drop=0.3, direction=direction)
    loss = loss_of(hook, model)
    loss.backward()
    found = gradients(model)
    shapes = draw_shapes(shortest(3, 0.5), 2, 0.3, np.random.default_rng([3, 7]))
    encoder, total = model.bert.encoder, 0.0
    with computing(encoder, None):
        part = Classes().loss(model(**batch()), {"labels": LABELS}) / 4
        full = model(**batch()).detach()
    part.backward()
    for shape in shapes:
        with computing(encoder, shape):
            shorter = model(**batch())
        pair = (shorter, full) if direction == "full_sub" else (full, shorter)
        own = soft_divergence(*pair, temperature=1.0) / 4
        own.backward()
        total += float(own.detach())
    torch.testing.assert_close(float(loss.detach()), float(part.detach()) + total)
    for name, gradient in gradients(model).items():
        torch.testing.assert_close(found[name], gradient, atol=1e-6, rtol=1e-4, msg=name)


def test_without_anything_dropped_the_gradient_is_that_of_plain_training() -> None:
    model = small()
    loss_of(begun(model, sandwich=0, drop=0.0, layer_drop=0.0), model).backward()
    found = gradients(model)
    Classes().loss(model(**batch()), {"labels": LABELS}).backward()
    for name, gradient in gradients(model).items():
        torch.testing.assert_close(2 * found[name], gradient, atol=1e-6, rtol=1e-4, msg=name)


def test_evaluations_are_of_the_shortest_lengths_and_the_model_ends_with_all_tokens() -> None:
    model = small()
    plain, hook = model(**batch()), begun(model, drop=0.5)
    loss_of(hook, model)
    assert lengths_of(model) == shortest(2, 0.5) and not model.bert.encoder.skipped
    hook.end(model)
    assert torch.equal(model(**batch()), plain) and "compressed" not in model.architecture


@pytest.mark.parametrize("given", [Lengths((0.5, 0.3)), Lengths((4, 3), "absolute")])
def test_given_lengths_are_the_shortest_ones_of_the_training(given: Lengths) -> None:
    model = small(initializer_range=0.2)
    loss = loss_of(begun(model, given, sandwich=0, layer_drop=0.0), model)
    assert lengths_of(model) == given
    with computing(model.bert.encoder, None):
        full = model(**batch())
    own = Classes().loss(full, {"labels": LABELS})
    expected = (own + soft_divergence(model(**batch()), full.detach(), temperature=1.0)) / 2
    torch.testing.assert_close(float(loss.detach()), float(expected.detach()))
    wider = loss_of(begun(model, given, sandwich=0, drop=0.9, layer_drop=0.0), model)
    assert torch.equal(wider, loss), "the largest share to drop has no effect"


def test_a_continued_run_draws_the_same_lengths() -> None:
    model = small(initializer_range=0.2)
    hook = begun(model, drop=0.5)
    first, second = loss_of(hook, model), loss_of(hook, model)
    assert not torch.equal(first, second), "parts of a batch draw lengths of their own"
    assert torch.equal(loss_of(begun(model, drop=0.5), model), first)


def keyed(rows: int, seed: int, length: int = 12) -> tuple[dict[str, Tensor], Tensor]:
    """Texts of random words in which one of three words, at a random place, is the label."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(10, 90, (rows, length), generator=generator)
    labels = torch.randint(0, 3, (rows,), generator=generator)
    ids[:, 0] = 1
    ids[torch.arange(rows), torch.randint(1, length, (rows,), generator=generator)] = 2 + labels
    return {"input_ids": ids}, labels


def accuracy(model: Any, lengths: Lengths | None, inputs: dict[str, Tensor], labels: Tensor) -> float:
    set_lengths(model, lengths)
    with torch.no_grad():
        return float((model(**inputs).argmax(1) == labels).float().mean())


def train(hook: LengthHook | None, steps: int = 60) -> Any:
    model = small(seed=1, dropout=0.0, attention_dropout=0.0, initializer_range=0.1)
    if hook:
        hook.begin(model, steps)
    optimizer = torch.optim.Adam(model.parameters(), lr=4e-3, fused=True)
    for step in range(steps):
        inputs, labels = keyed(32, step)
        if hook:
            hook.before_step(step)
        output = hook.forward(model, inputs, np.arange(32)) if hook else model(**inputs)
        loss = Classes().loss(output, {"labels": labels})
        if hook:
            loss = hook.loss(loss, output, {"labels": labels}, np.arange(32))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if hook:
        hook.end(model)
    return model


def test_a_model_trained_for_it_finds_the_word_that_matters_and_needs_few_others() -> None:
    options = LengthTraining(drop=0.85, layer_drop=0.0, sandwich=0)
    adaptive = train(LengthHook(cast(Any, Context()), options))
    plain = train(None)
    (inputs, labels), few = keyed(500, 10_000), Lengths((0.16, 1.0))
    full = accuracy(adaptive, None, inputs, labels)
    short = accuracy(adaptive, few, inputs, labels)
    untrained = accuracy(plain, few, inputs, labels)
    assert full > 0.95 and short >= 0.95 * full and short >= untrained
    watch = Watch()
    set_lengths(adaptive, few)
    adaptive.bert(**inputs, hooks=[watch])
    kept = watch.states[1].places
    assert kept is not None and kept.shape == (500, 2)
    is_key = (inputs["input_ids"] >= 2) & (inputs["input_ids"] < 5)
    assert is_key.gather(1, kept).any(1).float().mean() >= 0.9
