"""The probes of one task: each fitted with two penalties and several seeds, and the interval of their accuracy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from runner.probing.description_length import code_lengths
from runner.probing.probe import ProbeOptions, Rows, Splits, fit_probes
from runner.statistics.intervals import wilson_interval
from runner.statistics.paired import seed_interval

PENALTIES = (1e-5, 1e-3)  # of which the selecting rows choose one for each layer


@dataclass(frozen=True)
class Fits:
    """Probes of S layers, with the penalty that suits each."""

    penalties: np.ndarray  # (S,)
    is_right: np.ndarray  # (seeds, S, reported rows) bool
    selected: np.ndarray  # (S,) accuracy on the rows that select

    @property
    def accuracy(self) -> np.ndarray:
        """The accuracy on the reported rows, (S,), the mean over seeds."""
        return np.asarray(self.is_right.mean((0, 2)))


def fit_all(rows: Splits, classes: int, form: str, seeds: tuple[int, ...]) -> Fits:
    """Fit probes with each penalty and seed, and take the penalty that the selecting rows prefer for each layer."""
    layers = rows["train"].vectors.shape[1]
    selected = np.zeros((len(PENALTIES), len(seeds), layers))
    is_right = np.zeros((len(PENALTIES), len(seeds), layers, len(rows["report"])), bool)
    for number, penalty in enumerate(PENALTIES):
        for place, seed in enumerate(seeds):
            probes = fit_probes(rows["train"], rows["select"], classes, ProbeOptions(form, penalty=penalty), seed)
            selected[number, place] = probes.is_right(rows["select"]).mean(1)
            is_right[number, place] = probes.is_right(rows["report"])
    best, every = selected.mean(1).argmax(0), np.arange(layers)
    return Fits(np.array(PENALTIES)[best], is_right[best, :, every].swapaxes(0, 1), selected.mean(1)[best, every])


def interval(is_right: np.ndarray) -> tuple[float, float]:
    """The 95 % interval of a mean accuracy that holds the one over rows and the one over seeds; (seeds, rows) bool."""
    low, high = wilson_interval(float(is_right.mean()), is_right.shape[1])
    over_seeds = seed_interval(is_right.mean(1).tolist())
    return (low, high) if over_seeds is None else (min(low, over_seeds.low), max(high, over_seeds.high))


def bits_per_label(rows: Splits, classes: int, form: str, seed: int, penalties: np.ndarray) -> np.ndarray:
    """Return the bits of a label by the online code, (S,), each layer with the penalty that was chosen for it, (S,)."""
    bits = np.zeros(len(penalties))
    for penalty in np.unique(penalties):
        chosen = np.flatnonzero(penalties == penalty)
        train, select = (Rows(rows[which].vectors[:, chosen], rows[which].labels) for which in ("train", "select"))
        options = ProbeOptions(form, penalty=float(penalty))
        bits[chosen] = code_lengths(train, select, classes, options, seed).bits_per_label
    return bits
