"""A sum over the word pieces of a text and a last layer with dendrites (kind `dendritic`).

    a_k = D_k(x) + sum over j < k of lateral_kj * d_j        d_k = act(a_k)        z = soma(x) + sum of to_soma_k * d_k

Soma and dendrites are the rows of one linear layer, which may be folded into the rows of the words.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

if __package__:
    from .bag import Bag
else:  # copied into a bundle
    from bag import Bag  # type: ignore[import-not-found,no-redef]

ACTIVATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "sigmoid": lambda values: 0.5 + 0.5 * np.tanh(0.5 * values),  # does not overflow
    "tanh": np.tanh,
    "relu": lambda values: np.maximum(values, 0.0),
}


class Dendritic(Bag):
    """Scores texts, or pairs of texts, by the vectors of their pieces and a last layer with K dendrites a score."""

    def __init__(self, header: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        """header, arrays: as models/packed/fold.py writes them. Raises ValueError for arrays that do not fit."""
        super().__init__(header, arrays)
        self.to_soma, self.lateral = (arrays[name].astype(np.float64) for name in ("to_soma", "lateral"))
        self.act = ACTIVATIONS[header["dendrites"]["act"]]
        # The temperature divides the scores, not what a dendrite reads.
        self.bias, self.shift = (arrays[name].astype(np.float64) for name in ("bias", "shift"))
        self.inverse, self.inverse_temperature = 1.0, self.inverse
        dendrites, scores = self.to_soma.shape
        if len(self.bias) != (dendrites + 1) * scores or self.lateral.shape != (dendrites, dendrites, scores):
            raise ValueError(f"{dendrites} dendrites for each of {scores} scores in a layer of {len(self.bias)} rows")

    def outputs(self, ids: list[int], start: int) -> np.ndarray:
        """Return the scores over the temperature, (C,) float64."""
        soma, *inputs = super().outputs(ids, start).reshape(len(self.to_soma) + 1, -1)
        fired = np.zeros_like(self.to_soma)
        for place, (read, lateral) in enumerate(zip(inputs, self.lateral)):
            fired[place] = self.act(read + (lateral * fired).sum(axis=0))
        found: np.ndarray = (soma + (self.to_soma * fired).sum(axis=0)) * self.inverse_temperature
        return found
