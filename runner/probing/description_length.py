"""How many bits it takes to transmit labels with a probe: the online code of Voita and Titov (2020, arXiv 2003.12298).

Accuracy does not say how easily a property is decoded; the length of this code does. The first block of labels is sent
without a model, log2 C bits each; each further block by the probes that were fitted to all labels before it.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np

from runner.probing.probe import ProbeOptions, Rows, fit_probes

SHARES = (0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.0625, 0.125, 0.25, 0.5, 1.0)  # of the labels sent, cumulative
FEW = 2000  # labels below which a probe needs a stronger penalty to send more than noise
LEAST_PENALTY = 1e-3


@dataclass(frozen=True)
class CodeLengths:
    """The online code of the same labels by the probes of S layers."""

    bits: np.ndarray  # (S,) in all
    labels: int
    classes: int

    @property
    def bits_per_label(self) -> np.ndarray:
        """Bits of a label, (S,)."""
        return self.bits / self.labels

    @property
    def compression(self) -> np.ndarray:
        """Bits without a model over bits with it, (S,); 1: the vectors hold nothing that this probe can decode."""
        return self.labels * np.log2(self.classes) / self.bits


def block_ends(labels: int) -> list[int]:
    """Return where the blocks of a number of labels end, the last at `labels`; empty blocks are left out."""
    return sorted({max(1, round(share * labels)) for share in SHARES})


def code_lengths(train: Rows, select: Rows, classes: int, options: ProbeOptions, seed: int) -> CodeLengths:
    """Return the lengths of the online code of the labels of `train`, in an order that the seed shuffles.

    select: rows that decide when each probe stops; their labels are not sent.
    """
    shuffled = train.take(np.random.default_rng(seed).permutation(len(train)))
    ends = block_ends(len(train))
    bits = np.full(train.vectors.shape[1], ends[0] * np.log2(classes))
    for known, end in itertools.pairwise(ends):
        penalty = max(options.penalty, LEAST_PENALTY) if known < FEW else options.penalty
        own = replace(options, penalty=penalty)
        probes = fit_probes(shuffled.take(np.arange(known)), select, classes, own, seed)
        block = shuffled.take(np.arange(known, end))
        bits = bits + probes.losses(block) * len(block) / np.log(2)
    return CodeLengths(bits, len(train), classes)
