"""The information a layer adds to given vectors: conditional V-information, Hewitt et al. 2021, arXiv 2109.09234."""

from __future__ import annotations

import numpy as np

from runner.probing.probe import ProbeOptions, Rows, Splits, fit_probes

PENALTY = 1e-3  # both losses come from probes that are regularised alike


def information(rows: Splits, given: Splits, classes: int, form: str, seed: int) -> np.ndarray:
    """Return how many nats of a label each layer adds to the given vectors, (S,), for probes of this form.

    It is the held-out loss with the given vectors and zeros, minus that with the given and the layer's vectors. rows:
    vectors (n, S, H) of the layers; given: vectors (n, 1, G).
    """
    options = ProbeOptions(form, penalty=PENALTY)

    def loss(other: Splits) -> np.ndarray:
        both = {which: _beside(given[which], other[which]) for which in rows}
        return fit_probes(both["train"], both["select"], classes, options, seed).losses(both["report"])

    nothing = {which: Rows(np.zeros_like(one.vectors[:, :1]), one.labels) for which, one in rows.items()}
    return loss(nothing) - loss(rows)


def _beside(given: Rows, other: Rows) -> Rows:
    """Return each layer's vectors after the given ones."""
    wide = np.broadcast_to(given.vectors, (len(given.labels), other.vectors.shape[1], given.vectors.shape[2]))
    return Rows(np.concatenate([wide, other.vectors], 2), other.labels)
