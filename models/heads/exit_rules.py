"""When an exit is sure of its answer: by its confidence, by patience, or by what was learned of its mistakes.

Every rule gives a certainty, (B,) float32; a row leaves at the first exit whose certainty is at least its threshold.
Sources: entropy: DeeBERT (Xin et al. 2020, arXiv 2004.12993); patience: PABEE (Zhou et al. 2020, arXiv 2006.04152);
learned: BERxiT (Xin et al. 2021, EACL).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

NEVER = math.inf  # a threshold under which no row leaves
RIGHT, WRONG = 0.01, 0.99  # BERxiT's: what a right and a wrong answer weigh before `wrongness`


def confidence(logits: Tensor, temperature: Tensor | float = 1.0) -> Tensor:
    """The largest probability of logits (B, C), (B,)."""
    return (logits / temperature).softmax(-1).amax(-1)


def entropy(logits: Tensor, temperature: Tensor | float = 1.0) -> Tensor:
    """The entropy of the probabilities of logits (B, C), (B,) in nats."""
    logs = (logits / temperature).log_softmax(-1)
    return -(logs.exp() * logs).sum(-1)


def agreements(answers: Tensor, last: Tensor, before: Tensor, within: float) -> Tensor:
    """How many exits in a row gave the same answer as the one before them, (B,), given the number `before`.

    answers, last: (B,) of this exit and of the one before; classes, or numbers that agree if they differ by less than
    `within`.
    """
    agree = (answers - last).abs() < within
    return torch.where(agree, before + 1, torch.zeros_like(before))


def wrongness(errors: Tensor) -> Tensor:
    """The target of `learned` for an answer, 0..1: 1 - exp(-error).

    errors: RIGHT or WRONG of a class, the squared error of a standardised number.
    """
    return 1 - torch.exp(-errors)


def threshold_of(rule: str, value: float) -> float:
    """The certainty from which on rows leave, given the rule's own value: a confidence, an entropy, a wrongness, exits.

    Of a confidence of 1, an entropy or a wrongness of 0, nothing leaves, even where rounding reaches them.
    """
    if rule == "confidence":
        return value if value < 1 else NEVER
    if rule == "patience":
        return value
    return -value if value > 0 else NEVER


def value_of(rule: str, threshold: float) -> float:
    """The rule's own value of a threshold, the inverse of `threshold_of`."""
    if rule in ("confidence", "patience"):
        return min(threshold, 1.0) if rule == "confidence" else threshold
    return 0.0 if threshold == NEVER else -threshold
