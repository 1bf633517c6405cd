"""Probes side by side: each layer stops, slows down and is kept by itself."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from runner.probing.side_by_side import Plan, fit_side_by_side


class Values(nn.Module):
    """A number of each layer."""

    def __init__(self) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.zeros(2, 1))


def test_each_layer_keeps_its_own_best_weights_and_rate() -> None:
    probes = Values()
    seen: list[np.ndarray] = []

    def steps() -> Iterator[Tensor]:
        yield -probes.value.sum()  # both values rise by the rate

    def losses() -> np.ndarray:
        seen.append(probes.value.detach().numpy().copy().ravel())
        # The first gets better with every evaluation; the second is best at 1.
        return np.array([-probes.value[0].item(), abs(probes.value[1].item() - 1)])

    fit_side_by_side(probes, torch.optim.SGD(probes.parameters(), 1.0), Plan(4, 9, 1e-6, factor=0.5), steps, losses)
    # The evaluation at 2 is no gain of the second layer: half the rate from there on, and again.
    assert np.allclose(np.stack(seen), np.array([[0, 0], [1, 1], [2, 2], [3, 2.5], [4, 2.75]]))
    assert probes.value.flatten().tolist() == [4, 1]


def fitted(plan: Plan, losses_of: list[list[float]]) -> list[float]:
    """The number of steps after which the weights of each layer were kept; losses_of: evaluations by layers."""
    probes, evaluations = Values(), iter(losses_of)

    def steps() -> Iterator[Tensor]:
        yield -probes.value.sum()

    def losses() -> np.ndarray:
        return np.array(next(evaluations))

    fit_side_by_side(probes, torch.optim.SGD(probes.parameters(), 1.0), plan, steps, losses)
    kept: list[float] = probes.value.flatten().tolist()
    return kept


def test_many_small_gains_are_kept_and_are_a_gain_together() -> None:
    falling = [[9 - 0.4 * number, 9.0] for number in range(7)]
    assert fitted(Plan(6, 3, 1.0), falling) == [6, 0]
    assert fitted(Plan(6, 2, 1.0), falling) == [2, 0], "two evaluations without a gain, the lower of which is kept"


def test_a_layer_that_has_ended_gains_nothing_while_another_is_fitted() -> None:
    alone = [[9, 5], [8, 6], [7, 6], [6, 1], [5, 1]]
    assert fitted(Plan(4, 2, 0.5), alone) == [4, 0]
    assert fitted(Plan(4, 9, 0.5, solved=5.5), alone) == [4, 0], "a solved layer has ended, too"
