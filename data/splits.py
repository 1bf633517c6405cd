"""The result of loading data: facts about the labels, the tokenised splits, and a container for both."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar, Protocol

import numpy as np

from data.codes import CodePaths
from data.inputs.columns import Columns
from data.inputs.tokenizer import Tokenizer
from data.labels import Labels
from data.stores.frozen_states import FrozenStates
from data.units import Units

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class TargetScale:
    """Mean and standard deviation of the training targets, used to standardise targets."""

    mean: float
    sd: float

    def tolerance(self, share: float) -> float:
        """Return `share` of a standard deviation, in the targets' unit, plus float32's rounding at the mean."""
        return share * self.sd + 1e-6 * abs(self.mean)


@dataclass(frozen=True)
class DataTask:
    """Facts about the labels."""

    target: str  # the name of the target, which determines the task
    label_names: tuple[str, ...]  # in id order; () without classes
    is_pair: bool
    positive: int = 1  # in binary classification: the class that F1, precision and recall are for
    target_scale: TargetScale | None = None  # of a regression trained on standardised targets
    columns: tuple[int, ...] = ()  # if an item has several labels: the number of classes of each, in `label_names`
    has_empty: bool = False  # is an empty answer correct for some rows?

    @property
    def scale(self) -> float:
        """The unit of differences in the loss: the standard deviation if targets are standardised, else 1."""
        return self.target_scale.sd if self.target_scale else 1.0

    @property
    def num_labels(self) -> int:
        """The number of outputs of the head: one per class, or 1 for regression."""
        return max(1, len(self.label_names))


class RowInput(Protocol):
    """Turns the stored rows of a split into model inputs; data/inputs/ implements it."""

    def collate(self, split: TokenSplit, rows: np.ndarray, lookup: np.ndarray | None = None) -> Arrays:
        """Return the rows padded to the longest of them, as arguments of the model's forward."""

    def example(self, split: TokenSplit, batch_size: int, length: int, *, seed: int = 0) -> Arrays:
        """Return unpadded inputs of a fixed shape, drawn from the split, to count a model's operations and time it."""


class RowTexts(Protocol):
    """The source rows of a split before tokenisation; data/sources/raw.py implements it."""

    def __len__(self) -> int:
        """Return the number of source rows."""

    def read(self, rows: np.ndarray) -> Columns:
        """Return the cells of the source rows with these numbers, by column: texts, or lists of words."""

    def facts(self, rows: np.ndarray) -> dict[str, list[Any]]:
        """Return the extra columns of these source rows, such as `_golds`, by column name."""


@dataclass(frozen=True)
class TakenTexts:
    """Some of the source rows of a split, in their order; a row may occur several times."""

    texts: RowTexts
    rows: np.ndarray  # (source rows of this split,) their numbers in `texts`

    def __len__(self) -> int:
        return len(self.rows)

    def read(self, rows: np.ndarray) -> Columns:
        """Return the cells of the source rows with these numbers, by column."""
        return self.texts.read(self.rows[rows])

    def facts(self, rows: np.ndarray) -> dict[str, list[Any]]:
        """Return the extra columns of the source rows with these numbers, by column name."""
        return self.texts.facts(self.rows[rows])


class RowAugmentation(Protocol):
    """Augments training rows, differently in each epoch; data/inputs/ has one class for sounds and one for texts."""

    def augment(self, split: TokenSplit, rows: np.ndarray, inputs: Arrays, targets: Arrays, epoch: int) -> None:
        """Change the inputs and targets of a batch in place; depends only on the run's seed, the epoch and the rows."""


class RowTarget(Protocol):
    """Turns the stored labels of a split into targets; data/targets/ implements it."""

    name: ClassVar[str]
    names: tuple[str, ...]

    def collate(self, split: TokenSplit, rows: np.ndarray, inputs: Arrays, epoch: int) -> Arrays:
        """Return the rows' targets as arguments of the task's loss; may change `inputs`."""


@dataclass
class TokenSplit:
    """One tokenised split; its arrays are memory-mapped from the token store."""

    name: str  # also the prefix of its metrics
    tokens: np.ndarray  # all rows end to end: ids, uint16 or uint32; or audio frames, (frames, F) float16
    offsets: np.ndarray  # (rows + 1,) int64: row i is tokens[offsets[i]:offsets[i + 1]]
    segment_starts: np.ndarray  # (rows,) int32: where a row's second text starts; the row's length if it has none
    labels: Labels  # values int64 or float32
    truncated: int  # rows that lost tokens to max_length
    input: RowInput
    target: RowTarget | None = None  # None: the labels are meaningless and only the texts are used
    frozen_states: FrozenStates | None = None  # if given: batches hold these instead of token ids
    num_unlabelled: int = 0  # how many rows at the end have no label; the 0 stored for them is a placeholder
    source_rows: np.ndarray | None = None  # (source rows,) line or row numbers in the source; None if it has none
    # (source rows + 1,): rows parts[i]:parts[i + 1] are the windows of source row i; None: one row each.
    parts: np.ndarray | None = None
    texts: RowTexts | None = None  # of the source rows, left on disk until they are read; None if there is no source
    units: Units | None = None  # groups of rows that training draws together; None: each row by itself
    augment: RowAugmentation | None = None  # of the training split, if its batches are augmented

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def source_count(self) -> int:
        """The number of source rows: windows of one long row count once."""
        return len(self) if self.parts is None else len(self.parts) - 1

    @cached_property
    def lengths(self) -> np.ndarray:
        """The number of tokens of each row, special tokens included."""
        return np.diff(np.asarray(self.offsets))

    @cached_property
    def fingerprint(self) -> str:
        """sha256 of the tokens and of where rows and second texts begin, so it depends on tokenizer and max_length."""
        digest = hashlib.sha256()
        for array in (self.tokens, self.offsets, self.segment_starts):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    @property
    def known_labels(self) -> np.ndarray:
        """The labels of the rows that have one, (items,) or (items, columns); these rows come first."""
        rows = len(self) - self.num_unlabelled
        items = rows if self.labels.offsets is None else int(self.labels.offsets[rows])
        return np.asarray(self.labels.values)[:items]

    def has_label(self, rows: np.ndarray) -> np.ndarray | None:
        """Return which of the outputs for these rows have a label, (items with a token,) bool; None if all do."""
        if not self.num_unlabelled:
            return None
        is_known = rows < len(self) - self.num_unlabelled
        if self.labels.offsets is None:
            return is_known
        known = np.repeat(is_known, self.labels.counts[rows])
        return known if self.labels.places is None else known[self.labels.places[self.labels.of(rows)] >= 0]

    def take(self, rows: np.ndarray) -> TokenSplit:
        """Return a split of only the given rows, copied out of the store; each window becomes a separate source row."""
        source_rows = rows if self.parts is None else np.searchsorted(self.parts, rows, "right") - 1
        parts = [np.asarray(self.tokens[self.offsets[row] : self.offsets[row + 1]]) for row in rows]
        return replace(
            self,
            tokens=np.concatenate([np.asarray(self.tokens[:0]), *parts]),  # of no rows, no tokens
            offsets=np.concatenate([[0], np.cumsum([len(part) for part in parts])]),
            segment_starts=np.asarray(self.segment_starts)[rows],
            labels=self.labels.take(rows),
            truncated=0,
            source_rows=None,
            parts=None,
            texts=None if self.texts is None else TakenTexts(self.texts, source_rows),
            units=None,
        )

    def take_sources(self, sources: np.ndarray) -> TokenSplit:
        """Return a split of only the given source rows, copied out of the store, each with all of its windows."""
        if self.parts is None:
            return self.take(sources)
        counts = np.diff(self.parts)[sources]
        windows = [np.arange(self.parts[source], self.parts[source + 1]) for source in sources]
        return replace(
            self.take(np.concatenate(windows)),
            parts=np.concatenate([[0], np.cumsum(counts)]),
            texts=None if self.texts is None else TakenTexts(self.texts, sources),
        )

    def followed_by(self, other: TokenSplit) -> TokenSplit:
        """Return a split of these rows followed by those of another; it has no row numbers or texts of a source."""
        return replace(
            self,
            tokens=np.concatenate([self.tokens, other.tokens]),
            offsets=np.concatenate([self.offsets, self.offsets[-1] + other.offsets[1:]]),
            segment_starts=np.concatenate([self.segment_starts, other.segment_starts]),
            labels=self.labels.followed_by(other.labels),
            truncated=self.truncated + other.truncated,
            source_rows=None,
            parts=None,
            texts=None,
        )

    @cached_property
    def sentences(self) -> np.ndarray | None:
        """Where the items of each source row begin, (source rows + 1,); None if every row has one item."""
        offsets = self.labels.offsets
        return offsets if offsets is None or self.parts is None else offsets[self.parts]

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


@dataclass(frozen=True)
class PairedRows:
    """All training rows that have a code, with or without a label: texts and codes, row by row.

    Rows that keep their label come first, in the order of the split train.
    """

    texts: TokenSplit  # its labels are placeholders
    codes: CodePaths
    labelled: np.ndarray  # (n,) int64: which rows of train the first n rows are: all, unless some have no code
    train: CodePaths  # of the rows of train, which may have none
    held_out: dict[str, CodePaths]  # the same for the validation split and the reported splits
    fingerprint: str  # sha256 of all of this, the tree included


@dataclass
class Splits:
    """All data that a run needs. The split used for model selection is never a reported one."""

    task: DataTask
    train: TokenSplit
    select: TokenSplit
    report: tuple[TokenSplit, ...]  # the first gives the headline score
    tokenizer: Tokenizer
    fingerprint: str  # sha256 of texts and labels in use, wherever they were loaded from
    fingerprints: dict[str, str] = field(default_factory=dict)  # by split: sha256 of its texts and labels in use
    dropped: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)  # what the user must be told once
    duplicates: dict[str, int] = field(
        default_factory=dict
    )  # numbers of repeated texts, by the keys of data.duplicates.count_repeats
    text_hashes: dict[str, np.ndarray] = field(
        default_factory=dict
    )  # by reported split: hashes of its normalised texts
    held_out_hashes: dict[str, np.ndarray] = field(default_factory=dict)  # the same, of every split but train
    paired: PairedRows | None = None  # only for runs that also learn from codes
    parallel: tuple[str, ...] = ()  # the reported splits that have the rows of the first in other languages
    # Rows that were set aside for calibration (data.calibration); with data.calibration=folds all training rows.
    apart: TokenSplit | None = None
    folds: int = 0  # into which the training rows were divided (data.folds)

    @property
    def calibration(self) -> TokenSplit:
        """The rows used for calibration: those set aside for it, else the validation split."""
        return self.select if self.apart is None else self.apart
