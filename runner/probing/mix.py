"""The mix over layers: one probe of a weighted mean of all layers, whose weights it learns (Tenney et al. 2019).

    mix = fit_mix(rows, cells, classes, "linear", "quick", (0, 1, 2))
    mix.accuracy, mix.weights, mix.centre

The weights are a softmax, so the weighted mean of layer numbers, the centre, says where in the model a property is
decoded from. Each layer is standardised first, so that a weight does not depend on the size of its vectors.
Source: arXiv 1905.05950, the weights of its scalar mixing and their centre of gravity.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from runner.probing.features import Cell
from runner.probing.fits import interval, options_of
from runner.probing.probe import ProbeOptions, Rows, Splits, StackedProbes, fit
from runner.probing.results import Mix


class MixedProbe(StackedProbes):
    """One classifier of the weighted mean of (n, S, H) vectors over S."""

    def __init__(self, shape: tuple[int, int], classes: int, options: ProbeOptions) -> None:
        layers, hidden = shape
        super().__init__((1, hidden), classes, options)
        self.mean, self.scale = torch.zeros(layers, hidden), torch.ones(layers, hidden)
        self.scalars = nn.Parameter(torch.zeros(1, layers))

    def states(self, vectors: Tensor) -> Tensor:
        """(n, S, H) vectors to their weighted mean (1, n, H)."""
        states = (vectors - self.mean) * self.scale
        return torch.einsum("l,nlh->nh", self.scalars[0].softmax(0), states).unsqueeze(0)

    def weights_of_layers(self) -> np.ndarray:
        """Return the weight of each layer, (S,); their sum is 1."""
        return np.asarray(self.scalars.detach()[0].double().softmax(0))


def fit_mix(rows: Splits, cells: Sequence[Cell], classes: int, form: str, grid: str, seeds: tuple[int, ...]) -> Mix:
    """Fit the probe of the cells' mix with the options that are best on the selection rows with the first seed.

    cells: (S) of one pooling, of the vectors of the rows.
    """
    fitted = [_fit(rows, classes, options, seeds[0]) for options in options_of(form, grid, classes)]
    best = int(np.argmax([probe.is_right(rows["select"]).mean() for probe in fitted]))
    options = options_of(form, grid, classes)[best]
    probes = [fitted[best], *(_fit(rows, classes, options, seed) for seed in seeds[1:])]
    is_right = np.stack([probe.is_right(rows["report"])[0] for probe in probes])
    low, high = interval(is_right, rows["report"].sentences)
    weights = np.mean([probe.weights_of_layers() for probe in probes], 0)
    return Mix(cells[0].pool, [cell.layer for cell in cells], weights.tolist(), float(is_right.mean()), low, high)


def mixes_of(
    rows: Splits, cells: Sequence[Cell], classes: int, form: str, grid: str, seeds: tuple[int, ...]
) -> list[Mix]:
    """Return the mix of each pooling that has several layers. cells: (S), of the vectors of the rows."""
    found = []
    for pool in dict.fromkeys(cell.pool for cell in cells):
        chosen = [place for place, cell in enumerate(cells) if cell.pool == pool]
        if len(chosen) > 1:
            own = {which: Rows(one.vectors[:, chosen], one.labels, one.sentences) for which, one in rows.items()}
            found.append(fit_mix(own, [cells[place] for place in chosen], classes, form, grid, seeds))
    return found


def _fit(rows: Splits, classes: int, options: ProbeOptions, seed: int) -> MixedProbe:
    torch.manual_seed(seed)
    probe = MixedProbe(rows["train"].vectors.shape[1:], classes, options)
    fit(probe, rows["train"], rows["select"], options, seed)
    return probe
