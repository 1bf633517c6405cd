"""The findings of an audit; standard library only. `asdict` of them is the JSON of `run data format=json`.

Dictionaries by split have the order train, the selection split, the reported ones, and the rows set aside to
calibrate on (data.calibration). Row numbers are those of the user's file or of the hub's split, as
`predictions-<split>.parquet` has them.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Source:
    """Where a split is read from, and which of its columns are used."""

    split: str
    where: str  # a file, or a split of the hub
    bytes: int | None  # of the file
    columns: dict[str, str]  # by setting without `data.`: text, text_pair, label, ...
    unused: tuple[str, ...]


@dataclass(frozen=True)
class TaskFacts:
    """How the labels are read."""

    name: str
    why: str
    is_pair: bool
    metrics: tuple[str, ...]  # the first selects
    selects: str
    reported: tuple[str, ...]
    is_cut: bool  # is the selection split a part of the training rows?


@dataclass(frozen=True)
class ClassFacts:
    """A class, or a tag of words, with its count in each split."""

    name: str
    counts: dict[str, int]


@dataclass(frozen=True)
class LabelFacts:
    """The labels: classes, or numbers; neither of texts without labels."""

    classes: tuple[ClassFacts, ...] = ()  # the most frequent first
    unit: str = "rows"  # what is counted: rows with one class, words, questions, or rows with a set of labels ("sets")
    majority: dict[str, float] = field(default_factory=dict)  # by split: the accuracy of always saying the first class
    numbers: dict[str, dict[str, float]] = field(default_factory=dict)  # by split: mean, sd, min, max, distinct
    # By split, of sets of labels: how many a row has on average and at most, and the share of rows without any.
    sets: dict[str, dict[str, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Spread:
    """Percentiles of lengths."""

    p50: float
    p95: float
    max: float


@dataclass(frozen=True)
class LengthFacts:
    """The lengths of the texts of a split, in rows that are evenly spaced over it."""

    rows: int  # looked at
    words: Spread | None  # None for sounds
    tokens: Spread | None  # special tokens included; None without a tokenizer, and for sounds
    cut: float | None  # share of the rows with more than data.max_length tokens, or data.seconds
    seconds: Spread | None = None  # of sounds


@dataclass(frozen=True)
class TokenizerFacts:
    """How the tokenizer fits the training texts."""

    name: str
    why: str  # where it comes from, or why there is none
    max_length: int
    unknown: float | None  # share of its tokens that are [UNK]
    tokens_per_word: float | None
    scripts: dict[str, float]  # share of the letters, the most frequent first


@dataclass(frozen=True)
class RepeatFacts:
    """Texts of a split that occur more than once; equal up to case, white space and punctuation."""

    rows: int
    exact: int  # rows that repeat an earlier one letter by letter
    repeated: int  # rows that repeat an earlier one
    contradicting: int  # rows whose text has another label in another row
    # The best accuracy of any function of the text except for case, white space and punctuation; None without classes.
    ceiling: float | None


@dataclass(frozen=True)
class LeakFacts:
    """Rows of one split whose text is in another one."""

    split: str
    inside: str
    rows: int
    other_label: int  # of them, those whose text has another label there
    examples: tuple[tuple[int, int], ...]  # row numbers: in the split, and the first one with that text in the other


@dataclass(frozen=True)
class NearExample:
    """A pair of texts that are almost equal."""

    similarity: float
    splits: tuple[str, str]
    rows: tuple[int, int]
    texts: tuple[str, str]
    labels: tuple[str, str]


@dataclass(frozen=True)
class NearFacts:
    """Texts that are almost, but not exactly, equal: 70 % of the character 5-grams of both."""

    looked_at: dict[str, int]  # by split: distinct texts that were looked up
    compared_with: int  # distinct texts
    is_whole: bool  # were all texts looked up?
    near: dict[str, int]  # by split: of those looked at, texts with a near repeat anywhere
    in_train: dict[str, int]  # by split: of those looked at, texts with a near repeat in train
    # By split: of those looked at, texts with a near repeat of another label; 0 if labels belong to places in a text.
    other_label: dict[str, int]
    examples: tuple[NearExample, ...]


@dataclass(frozen=True)
class Advice:
    """Settings to start with, each with its reason."""

    command: str
    reasons: tuple[str, ...]
    search: str  # the command that looks for the best model; empty where none does


@dataclass(frozen=True)
class Audit:
    """All that is known of a data set before training."""

    data: str
    sources: tuple[Source, ...]
    splits: dict[str, int]  # rows in use
    dropped: dict[str, int]  # rows left out, by what is wrong with them
    task: TaskFacts
    labels: LabelFacts
    lengths: dict[str, LengthFacts]
    tokenizer: TokenizerFacts
    repeats: dict[str, RepeatFacts]
    leaks: tuple[LeakFacts, ...]
    near: NearFacts
    notes: tuple[str, ...]
    advice: Advice
    unit: str = "texts"  # what a row is made of: texts or sounds
