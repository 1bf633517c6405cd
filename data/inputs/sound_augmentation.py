"""Audio augmentation: in every epoch training sounds are shifted, made louder, noised, masked, or mixed in pairs.

It works on scaled features, where 0 is the mean of a band. It depends only on the run's seed, the epoch and the row, so
the number of workers and the other rows of a batch do not change it.
Sources: SpecAugment (Park et al. 2019, arXiv 1904.08779) for the masks, mixup (Zhang et al. 2018, arXiv 1710.09412).
"""

from __future__ import annotations

import numpy as np

from data.settings import SoundAugmentation
from data.splits import Arrays, TokenSplit


class AugmentedSounds:
    """Augments the batches of a training split of sounds."""

    def __init__(self, settings: SoundAugmentation, *, seed: int, classes: int, has_first: bool) -> None:
        """seed: of the run; classes: their number, for mixed labels; has_first: do rows begin with a special frame?"""
        self.settings, self.seed, self.classes, self.start = settings, seed, classes, int(has_first)

    def augment(self, split: TokenSplit, rows: np.ndarray, inputs: Arrays, targets: Arrays, epoch: int) -> None:
        """Change the frames (B, T, F) of a batch in place; with mixup its `labels` become shares, (B, C) float32."""
        randoms = [np.random.default_rng([self.seed, epoch, row]) for row in rows.tolist()]
        self._vary(split, rows, inputs["input_ids"], randoms)
        if self.settings.mixup:
            self._mix(split, rows, inputs, targets, randoms)

    def _vary(
        self, split: TokenSplit, rows: np.ndarray, frames: np.ndarray, randoms: list[np.random.Generator]
    ) -> None:
        """Augment each row separately, in place, without its padding."""
        for row, random, length in zip(frames, randoms, split.lengths[rows]):
            self._vary_one(row[self.start : length], random)

    def _vary_one(self, frames: np.ndarray, random: np.random.Generator) -> None:
        """Augment one sound (T, F) in place."""
        settings, (length, width) = self.settings, frames.shape
        if settings.shift and length:
            frames[:] = np.roll(frames, int(random.integers(length)), axis=0)
        if settings.gain:
            frames += np.float32(random.normal(0.0, settings.gain))
        if settings.noise:
            frames += random.standard_normal(frames.shape, np.float32) * np.float32(settings.noise)
        if settings.time_mask:
            frames[_run(length, settings.time_mask, random)] = 0.0
        if settings.band_mask:
            frames[:, _run(width, settings.band_mask, random)] = 0.0

    def _mix(
        self, split: TokenSplit, rows: np.ndarray, inputs: Arrays, targets: Arrays, randoms: list[np.random.Generator]
    ) -> None:
        """Mix each row and its label with another labelled row of the split."""
        labelled = len(split) - split.num_unlabelled
        others = np.array([random.integers(labelled) for random in randoms])
        share = np.array([random.beta(self.settings.mixup, self.settings.mixup) for random in randoms], np.float32)
        theirs = split.input.collate(split, others)
        self._vary(split, others, theirs["input_ids"], randoms)
        longest = max(inputs["input_ids"].shape[1], theirs["input_ids"].shape[1])
        own, second = (_padded(part["input_ids"], longest) for part in (inputs, theirs))
        inputs["input_ids"] = share[:, None, None] * own + (1 - share)[:, None, None] * second
        inputs.pop("attention_mask", None)
        real = np.arange(longest) < np.maximum(split.lengths[rows], split.lengths[others])[:, None]
        if not real.all():
            inputs["attention_mask"] = real.astype(np.int64)
        one_hot = np.eye(self.classes, dtype=np.float32)
        second_labels = np.asarray(split.labels.values)[others]
        targets["labels"] = share[:, None] * one_hot[targets["labels"]] + (1 - share)[:, None] * one_hot[second_labels]


def _run(size: int, share: float, random: np.random.Generator) -> slice:
    """Draw a run of neighbouring positions out of `size`, at most that share of them."""
    count = int(random.integers(int(size * share) + 1))
    start = int(random.integers(size - count + 1))
    return slice(start, start + count)


def _padded(array: np.ndarray, length: int) -> np.ndarray:
    """Return the rows (B, T, ...) padded with zeros to a length."""
    return np.pad(array, [(0, 0), (0, length - array.shape[1]), *[(0, 0)] * (array.ndim - 2)])
