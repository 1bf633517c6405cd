"""The probes of one task: each fitted with several options and seeds, and the interval of their accuracy."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from runner.probing.description_length import code_lengths
from runner.probing.probe import LINEAR, MLP, ProbeOptions, Rows, Splits, fit_probes
from runner.probing.wanted import QUICK, SENTEVAL
from runner.statistics.intervals import spanning_seeds, wilson_interval

PENALTIES = (1e-5, 1e-3)  # of which the selecting rows choose one for each layer
# The grid of github.com/facebookresearch/SentEval (senteval/tools/validation.py, classifier.py) for probing tasks
WIDTHS, DROPOUTS, SENTEVAL_PENALTIES = (50, 100, 200), (0.0, 0.1, 0.2), (1e-5, 1e-4, 1e-3, 1e-2)
SENTEVAL_BATCH, SENTEVAL_PASSES, SENTEVAL_MOST = 64, 4, 200  # rows; passes between evaluations; passes at most
LOGISTIC_FROM = 1000  # classes, as WordContent has, for which SentEval's protocol has no hidden layer
FEW = 4  # options that all seeds choose from; from more of them the first seed chooses


@dataclass(frozen=True)
class Fits:
    """Probes of S layers, with the options that suit each."""

    options: list[ProbeOptions]  # (S)
    is_right: np.ndarray  # (seeds, S, reported rows) bool
    selected: np.ndarray  # (S,) accuracy on the selection rows

    @property
    def accuracy(self) -> np.ndarray:
        """The accuracy on the reported rows, (S,), the mean over seeds."""
        return np.asarray(self.is_right.mean((0, 2)))


def options_of(form: str, grid: str, classes: int) -> list[ProbeOptions]:
    """Return the options of probes among which the selection rows choose."""
    if grid == QUICK:
        return [ProbeOptions(form, penalty=penalty) for penalty in PENALTIES]
    assert grid == SENTEVAL
    sizes = [*itertools.product(WIDTHS, DROPOUTS)] if form == MLP and classes < LOGISTIC_FROM else [(0, 0.0)]
    return [
        ProbeOptions(
            MLP if width else LINEAR, width, dropout, penalty, SENTEVAL_BATCH, SENTEVAL_PASSES,
            SENTEVAL_MOST // SENTEVAL_PASSES,
        )
        for (width, dropout), penalty in itertools.product(sizes, SENTEVAL_PENALTIES)
    ]  # fmt: skip


def fit_all(rows: Splits, classes: int, form: str, seeds: tuple[int, ...], grid: str = QUICK) -> Fits:
    """Fit probes with all options and seeds, and take each layer's best options on the selection rows."""
    options, layers = options_of(form, grid, classes), rows["train"].vectors.shape[1]
    found: dict[tuple[int, int], tuple[np.ndarray, np.ndarray]] = {}  # by option and seed: selected, is_right

    def fit(number: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        if (number, seed) not in found:
            probes = fit_probes(rows["train"], rows["select"], classes, options[number], seed)
            found[number, seed] = probes.is_right(rows["select"]).mean(1), probes.is_right(rows["report"])
        return found[number, seed]

    choosing = seeds if len(options) <= FEW else seeds[:1]
    means = np.array([np.mean([fit(number, seed)[0] for seed in choosing], 0) for number in range(len(options))])
    best = means.argmax(0)
    chosen = [[fit(int(number), seed) for number in best] for seed in seeds]  # by seed and layer
    selected = [[one[0][layer] for layer, one in enumerate(of_seed)] for of_seed in chosen]
    is_right = [[one[1][layer] for layer, one in enumerate(of_seed)] for of_seed in chosen]
    return Fits([options[best[layer]] for layer in range(layers)], np.array(is_right), np.mean(selected, 0))


def interval(is_right: np.ndarray, sentences: np.ndarray | None = None) -> tuple[float, float]:
    """Return a 95 % interval of a mean, within 0..1, that covers both the one over rows and the one over seeds.

    is_right: (seeds, rows), 0..1.

    sentences: (rows,) the sentence of each word. Words of one sentence are correlated, so rows then count as many
    independent ones as have the same variance (the design effect of Kish 1965).
    """
    mean, rows = float(is_right.mean()), is_right.shape[1]
    ends = wilson_interval(mean, max(1, round(rows / _design_effect(is_right.mean(0) - mean, sentences))))
    return spanning_seeds(ends, is_right.mean(1).tolist())


def _design_effect(residuals: np.ndarray, sentences: np.ndarray | None) -> float:
    """Return the factor, at least 1, by which the variance of the mean of rows (n,) grows as they come in sentences."""
    alone = float(np.square(residuals).sum())
    if sentences is None or alone == 0:
        return 1.0
    together = float(np.square(np.bincount(sentences, residuals)).sum())
    return max(1.0, together / alone)


def by_sentence(values: np.ndarray, sentences: np.ndarray | None) -> np.ndarray:
    """Return numbers for sentences whose mean is the mean over the rows; if rows are sentences, `values` (rows,).

    Each is the sum over the sentence's words divided by the mean length of a sentence, so that resampling sentences is
    resampling words in clusters.
    """
    if sentences is None:
        return values
    _, place = np.unique(sentences, return_inverse=True)
    sums = np.bincount(place, values)
    return np.asarray(sums * (len(sums) / len(values)))


def bits_per_label(rows: Splits, classes: int, seed: int, options: list[ProbeOptions]) -> np.ndarray:
    """Return the bits per label of the online code, (S,), each layer with the options chosen for it, (S)."""
    bits = np.zeros(len(options))
    for one in dict.fromkeys(options):
        chosen = np.flatnonzero([other == one for other in options])
        train, select = (Rows(rows[which].vectors[:, chosen], rows[which].labels) for which in ("train", "select"))
        bits[chosen] = code_lengths(train, select, classes, one, seed).bits_per_label
    return bits
