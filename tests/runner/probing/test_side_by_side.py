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
        # The first gets better with every look; the second is best at 1.
        return np.array([-probes.value[0].item(), abs(probes.value[1].item() - 1)])

    fit_side_by_side(probes, torch.optim.SGD(probes.parameters(), 1.0), Plan(4, 9, 1e-6, factor=0.5), steps, losses)
    # The look at 2 is no gain of the second layer: half the rate from there on, and again.
    assert np.allclose(np.stack(seen), np.array([[0, 0], [1, 1], [2, 2], [3, 2.5], [4, 2.75]]))
    assert probes.value.flatten().tolist() == [4, 1]
