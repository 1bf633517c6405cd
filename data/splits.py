"""What the loaders hand over: the task, tokenised splits, and all of it together."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from data.inputs.tokenizer import Tokenizer
from data.stores.frozen_states import FrozenStates


@dataclass(frozen=True)
class TargetScale:
    """Mean and standard deviation of the training targets, by which training standardises."""

    mean: float
    sd: float

    def tolerance(self, share: float) -> float:
        """`share` of a standard deviation in the targets' unit, and what float32 rounds of numbers around the mean."""
        return share * self.sd + 1e-6 * abs(self.mean)


@dataclass(frozen=True)
class DataTask:
    """What the labels are. `metrics[0]` selects and headlines."""

    kind: str  # classification | regression | mlm
    label_names: tuple[str, ...]  # in id order; () without classes
    is_pair: bool
    metrics: tuple[str, ...]
    positive: int = 1  # the class that F1, precision and recall are of, where there are two
    target_scale: TargetScale | None = None  # of a regression that is trained on standardised targets

    @property
    def scale(self) -> float:
        """What differences of targets are divided by in losses."""
        return self.target_scale.sd if self.target_scale else 1.0

    def in_loss(self, logits: Any, labels: Any) -> tuple[Any, Any]:
        """Logits and labels, arrays or tensors, as the loss compares them: standardised where training does that."""
        if self.target_scale is None:
            return logits, labels
        return (logits - self.target_scale.mean) / self.scale, (labels - self.target_scale.mean) / self.scale

    @property
    def has_labels(self) -> bool:
        """Does each row have a label? Not where the words themselves are to be guessed."""
        return self.kind != "mlm"

    @property
    def num_labels(self) -> int:
        """Outputs of the head: the classes, or 1 for regression."""
        return max(1, len(self.label_names))


class Masking(Protocol):
    """How the words of a split of blocks are hidden from the model; data/targets/masked_words.py has the only one."""

    @property
    def special(self) -> np.ndarray:
        """(V,) bool: the tokens that are never hidden."""

    def hide(self, split: TokenSplit, rows: np.ndarray, epoch: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Token ids of the blocks (B, T) with some hidden, the hidden tokens' ids (N,), and their places (N,)."""


@dataclass
class TokenSplit:
    """One tokenised split, its arrays memory-mapped from the token store; `name` is the prefix of its metrics."""

    name: str
    tokens: np.ndarray  # all rows end to end, uint16 or uint32
    offsets: np.ndarray  # (rows + 1,) int64: row i is tokens[offsets[i]:offsets[i + 1]]
    segment_starts: np.ndarray  # (rows,) int32: where a row's second text starts; its length without one
    labels: np.ndarray  # (rows,) int64 or float32
    truncated: int  # rows that lost tokens to max_length
    masking: Masking | None = None  # rows are blocks of text whose masked words are to be guessed
    frozen_states: FrozenStates | None = None  # what an encoder made of the rows; batches then carry these, not ids
    num_unlabelled: int = 0  # of the last rows: there is no label, the 0 in its place means nothing
    source_rows: np.ndarray | None = None  # (rows,) line or row numbers in the user's file; None: rows are made here

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @cached_property
    def lengths(self) -> np.ndarray:
        """Tokens of each row, special tokens included."""
        return np.diff(np.asarray(self.offsets))

    @cached_property
    def fingerprint(self) -> str:
        """sha256 of the tokens and of where rows and second texts begin; the tokenizer and max_length show in it."""
        digest = hashlib.sha256()
        for array in (self.tokens, self.offsets, self.segment_starts):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    @property
    def known_labels(self) -> np.ndarray:
        """The labels of the rows that have one, which come first."""
        return np.asarray(self.labels)[: len(self) - self.num_unlabelled]

    def has_label(self, rows: np.ndarray) -> np.ndarray | None:
        """Which of these rows have a label, (B,); None where all rows do."""
        return rows < len(self) - self.num_unlabelled if self.num_unlabelled else None

    @cached_property
    def has_pairs(self) -> bool:
        """Does any row have a second text?"""
        return bool((np.asarray(self.segment_starts) < self.lengths).any())

    @property
    def length_stats(self) -> dict[str, float]:
        """Percentiles, mean and maximum of the lengths, in tokens."""
        p50, p95, p99 = np.percentile(self.lengths, (50, 95, 99))
        mean, most = self.lengths.mean(), self.lengths.max()
        return {
            "p50": float(p50),
            "p95": float(p95),
            "p99": float(p99),
            "mean": float(mean),
            "max": float(most),
        }


@dataclass
class Splits:
    """Everything a run needs from data. The split that selects is never one that is reported."""

    task: DataTask
    train: TokenSplit
    select: TokenSplit
    report: tuple[TokenSplit, ...]  # the first is the headline
    tokenizer: Tokenizer
    fingerprint: str  # sha256 of texts and labels in use, wherever they were loaded from
    fingerprints: dict[str, str] = field(default_factory=dict)  # the same for each split alone
    dropped: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)  # what the user must be told once
    duplicates: dict[str, int] = field(default_factory=dict)  # repeated texts, as data.duplicates.count names them
    text_hashes: dict[str, np.ndarray] = field(default_factory=dict)  # of the reported: hashes of normalised texts
