"""From the logits of entailment to a score for each label.

A model says of a text and the hypotheses "This text is about {label}." whether each follows. In the mode `single` the
entailment logits of all labels compete in one softmax; in the mode `multi` each label has a probability of its own,
from its contradiction and entailment logits alone. Source: Yin, Hay and Roth 2019, Benchmarking Zero-shot Text
Classification.
"""

from __future__ import annotations

import numpy as np

from runner.statistics.probabilities import softmax

SINGLE, MULTI = "single", "multi"
MODES = (SINGLE, MULTI)


def label_scores(logits: np.ndarray, entailment: int, contradiction: int | None, mode: str) -> np.ndarray:
    """Return the score of each label, (texts, labels) float64.

    logits: (texts, labels, classes) of the model for each hypothesis; entailment, contradiction: places of classes. A
    score is the entailment logit, or in the mode multi that minus the contradiction logit, the log-odds of the label.
    """
    found = logits.astype(np.float64)
    if mode == SINGLE:
        return np.asarray(found[:, :, entailment])
    assert contradiction is not None, "the mode multi needs a class for contradiction"
    return np.asarray(found[:, :, entailment] - found[:, :, contradiction])


def probabilities(scores: np.ndarray, mode: str) -> np.ndarray:
    """Return the probabilities of scores (texts, labels): rows that add up to 1, or in the mode multi one a label."""
    return softmax(scores) if mode == SINGLE else np.asarray((1 + np.tanh(scores / 2)) / 2)


def prior_of(scores: np.ndarray, mode: str) -> np.ndarray:
    """Return what to subtract from the score of each label, (labels,), so that texts without content favour none.

    scores: (texts, labels) of texts such as "N/A". Their mean probabilities become the prior, in the unit of the
    scores. Source: Zhao et al. 2021, Calibrate Before Use.
    """
    mean = np.clip(probabilities(scores, mode).mean(axis=0), 1e-9, 1 - 1e-9)
    return np.asarray(np.log(mean) if mode == SINGLE else np.log(mean / (1 - mean)))
