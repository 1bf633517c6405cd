"""Rules for when an early exit is certain enough: confidence, entropy, patience, or a learned estimate of its errors.

Every rule computes a certainty, (B,) float32; a row leaves at the first exit whose certainty reaches its threshold.
Sources: entropy: DeeBERT (Xin et al. 2020, arXiv 2004.12993); patience: PABEE (Zhou et al. 2020, arXiv 2006.04152);
learned: BERxiT (Xin et al. 2021, EACL).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

NEVER = math.inf  # a threshold at which no row leaves
RIGHT, WRONG = 0.01, 0.99  # from BERxiT: the errors of a right and a wrong answer, for `wrongness`


def confidence(logits: Tensor, temperature: Tensor | float = 1.0) -> Tensor:
    """The largest class probability, (B,), for logits (B, C)."""
    return (logits / temperature).softmax(-1).amax(-1)


def entropy(logits: Tensor, temperature: Tensor | float = 1.0) -> Tensor:
    """The entropy of the class probabilities, (B,) in nats, for logits (B, C)."""
    logs = (logits / temperature).log_softmax(-1)
    return -(logs.exp() * logs).sum(-1)


def agreements(answers: Tensor, last: Tensor, before: Tensor, within: float) -> Tensor:
    """The number of consecutive exits that agreed with the previous exit, (B,); `before`: that number so far.

    answers, last: (B,) of this exit and of the previous one: classes, or numbers, which agree if they differ by less
    than `within`.
    """
    agree = (answers - last).abs() < within
    return torch.where(agree, before + 1, torch.zeros_like(before))


def wrongness(errors: Tensor) -> Tensor:
    """The training target, 0..1, of the rule `learned`: 1 - exp(-error).

    errors: RIGHT or WRONG for a class, the squared error for a standardised number.
    """
    return 1 - torch.exp(-errors)


def threshold_of(rule: str, value: float) -> float:
    """The certainty threshold for a value in the rule's unit: a confidence, an entropy, a wrongness, a number of exits.

    At a confidence of 1, or an entropy or a wrongness of 0, no row leaves, even if rounding produces such a value.
    """
    if rule == "confidence":
        return value if value < 1 else NEVER
    if rule == "patience":
        return value
    return -value if value > 0 else NEVER


def value_of(rule: str, threshold: float) -> float:
    """Convert a threshold to the rule's unit, the inverse of `threshold_of`."""
    if rule in ("confidence", "patience"):
        return min(threshold, 1.0) if rule == "confidence" else threshold
    return 0.0 if threshold == NEVER else -threshold
