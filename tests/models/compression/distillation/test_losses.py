"""The losses of distillation: golden numbers, zero where student and teacher agree, and no part in them of padding."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from models.compression.distillation.losses import (
    attention_loss,
    cosine_loss,
    hidden_loss,
    log_relations,
    regression_loss,
    relation_loss,
    soft_cross_entropy,
    soft_divergence,
    vector_loss,
)  # fmt: skip

STUDENT, TEACHER = torch.tensor([[1.0, 2.0, 0.0]]), torch.tensor([[2.0, 1.0, 0.0]])


@pytest.mark.parametrize(
    ("temperature", "cross", "apart"), [(1.0, 1.252908, 0.420512), (2.0, 1.119834, 0.398569), (4.0, 1.101283, 0.370933)]
)
def test_logit_losses_have_their_known_values(temperature: float, cross: float, apart: float) -> None:
    assert soft_cross_entropy(STUDENT, TEACHER, temperature).item() == pytest.approx(cross, abs=1e-6)
    assert soft_divergence(STUDENT, TEACHER, temperature).item() == pytest.approx(apart, abs=1e-6)


def test_cross_entropy_is_divergence_plus_the_teachers_entropy_and_has_its_gradient() -> None:
    torch.manual_seed(0)
    teacher, temperature = torch.randn(5, 4), 3.0
    student = torch.randn(5, 4, requires_grad=True)
    softened = (teacher / temperature).softmax(-1)
    entropy = -(softened * softened.log()).sum(-1).mean()
    cross = soft_cross_entropy(student, teacher, temperature)
    apart = soft_divergence(student, teacher, temperature) / temperature**2
    torch.testing.assert_close(cross - apart, entropy, atol=1e-6, rtol=0)
    (of_cross,) = torch.autograd.grad(cross, student)
    (of_apart,) = torch.autograd.grad(apart, student)
    expected = ((student / temperature).softmax(-1) - softened).detach() / (temperature * len(student))
    torch.testing.assert_close(of_cross, expected, atol=1e-7, rtol=0)
    torch.testing.assert_close(of_apart, expected, atol=1e-7, rtol=0)


Loss = Callable[[Tensor, Tensor, Tensor | None], Tensor]
OVER_STATES: dict[str, Loss] = {
    "states": hidden_loss,
    "directions": cosine_loss,
    "relations": lambda student, teacher, mask: relation_loss(student, teacher, 4, mask),
}


def padded(values: Tensor, more: int) -> Tensor:
    """Append `more` positions of noise to the states."""
    return torch.cat([values, torch.randn(values.shape[0], more, values.shape[2])], 1)


@pytest.mark.parametrize("name", OVER_STATES)
def test_padding_does_not_move_a_loss_over_states(name: str) -> None:
    torch.manual_seed(0)
    student, teacher, mask = torch.randn(3, 6, 16), torch.randn(3, 6, 16), torch.ones(3, 6)
    mask[1, 4:] = mask[2, 2:] = 0
    expected = OVER_STATES[name](student, teacher, mask)
    longer = torch.cat([mask, torch.zeros(3, 7)], 1)
    torch.testing.assert_close(OVER_STATES[name](padded(student, 7), padded(teacher, 7), longer), expected)
    torch.testing.assert_close(
        OVER_STATES[name](student, teacher, None), OVER_STATES[name](student, teacher, torch.ones(3, 6))
    )
    assert OVER_STATES[name](teacher, teacher, mask).abs() < 1e-6 < expected


def test_padding_does_not_move_the_loss_over_scores() -> None:
    torch.manual_seed(0)
    student, teacher, mask = torch.randn(3, 2, 6, 6), torch.randn(3, 2, 6, 6), torch.ones(3, 6)
    mask[1, 4:] = 0
    real = [
        (student[row, :, :size, :size] - teacher[row, :, :size, :size]).square() for row, size in enumerate([6, 4, 6])
    ]
    expected = sum(part.mean(0).sum() for part in real) / (36 + 16 + 36)
    torch.testing.assert_close(attention_loss(student, teacher, mask), expected)


def test_vectors_are_compared_in_units_of_the_teachers_spread() -> None:
    teacher = torch.tensor([[1.0, 3.0], [5.0, 3.0], [3.0, 1.0], [3.0, 5.0]])
    spread = (teacher - teacher.mean(0)).square().mean().sqrt()
    assert vector_loss(teacher.mean(0).expand(4, 2), teacher, spread).item() == pytest.approx(1.0)
    assert vector_loss(teacher + 0.5, teacher, spread).item() == pytest.approx(0.25 / 2)


def test_relations_are_distributions_and_know_no_order_of_heads() -> None:
    torch.manual_seed(0)
    student, teacher, mask = (
        torch.randn(2, 5, 16),
        torch.randn(2, 5, 32),
        torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]]),
    )
    shares = log_relations(student, 4, mask).exp()
    torch.testing.assert_close(shares.sum(-1), torch.ones(2, 4, 5))
    assert (shares[1, :, :, 3:] == 0).all()
    order = torch.tensor([2, 0, 3, 1])

    def permuted(states: Tensor) -> Tensor:
        return states.unflatten(-1, (4, -1))[:, :, order].flatten(2)

    torch.testing.assert_close(
        relation_loss(permuted(student), permuted(teacher), 4, mask), relation_loss(student, teacher, 4, mask)
    )


@pytest.mark.parametrize("heads", [1, 2])
def test_a_relation_is_the_softmax_of_scaled_products_within_each_head(heads: int) -> None:
    generator = torch.Generator().manual_seed(0)
    student, teacher = (torch.randn(2, 3, 8, generator=generator, dtype=torch.float64) for _ in range(2))
    total, size = 0.0, 8 // heads
    for row in range(2):
        for head in range(heads):
            parts = [states[row, :, head * size : (head + 1) * size] for states in (teacher, student)]
            for token in range(3):
                wanted, found = (
                    torch.tensor([float(part[token] @ other) / size**0.5 for other in part]).softmax(0)
                    for part in parts
                )
                total += float((wanted * (wanted / found).log()).sum())
    assert float(relation_loss(student, teacher, heads, None)) == pytest.approx(total / (2 * heads * 3), rel=1e-5)


def test_numbers_are_compared_in_units_of_a_scale() -> None:
    assert float(regression_loss(torch.tensor([4.0, 10.0]), torch.tensor([2.0, 4.0]), scale=2.0)) == (1.0 + 9.0) / 2
