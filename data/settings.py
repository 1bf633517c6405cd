"""The settings of one dataset; standard library only, because configs are checked before anything heavy is imported."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from data.errors import DataError

# Values of data.group that name a rule instead of a column; see data/groups.py.
CONTAINED, SHARED = "contained_text", "shared_text"
GROUP_RULES = (CONTAINED, SHARED)
# Values of data.threshold other than numbers: fitted on the validation split, or 0.5 and always the likeliest label.
ONE, PER_LABEL, AT_LEAST_ONE = THRESHOLDS = ("one", "per_label", "at_least_one")
ALL_FOLDS = "all"  # the value of data.fold with which every row trains


Value = TypeVar("Value")


def limited(default: Value, **limits: object) -> Value:
    """A dataclass field with its range in the metadata: low=, high=, above= or choices=.

    neutral=: the value at which a field that was added later leaves a run's identity as it was.
    """
    return field(default=default, metadata=limits)


@dataclass
class TaskSettings:
    """Settings of the task: learn the labels, or masked words; conf/task/ explains each field."""

    name: str = limited("auto", choices=("auto", "mlm", "tags", "span", "multilabel", "rank"))
    description: str = ""
    share: float = limited(0.15, above=0.0, high=0.9)
    masked: float = limited(0.8, low=0.0, high=1.0)
    random: float = limited(0.1, low=0.0, high=1.0)
    output: str = limited("tied", choices=("tied", "own", "fixed"))
    loss_reduction: str = limited("mean", choices=("mean", "sum_labels"), neutral="mean")


@dataclass
class SoundAugmentation:
    """How sounds are augmented, differently in each epoch; conf/data/_shared.yaml explains each field."""

    shift: bool = limited(True, neutral=True)
    gain: float = limited(0.3, low=0.0, high=10.0, neutral=0.3)
    noise: float = limited(0.1, low=0.0, high=10.0, neutral=0.1)
    time_mask: float = limited(0.2, low=0.0, high=0.9, neutral=0.2)
    band_mask: float = limited(0.2, low=0.0, high=0.9, neutral=0.2)
    mixup: float = limited(0.0, low=0.0, high=10.0, neutral=0.0)


@dataclass
class DataSettings:
    """Settings of one dataset: source, columns, splits, labels; conf/data/_shared.yaml explains each field."""

    name: str = "demo"
    description: str = ""
    source: str = limited("demo", choices=("hub", "files", "demo"))
    id: str | None = None
    config: str | None = None
    path: str | None = None
    train_path: str | None = None
    val_path: str | None = None
    test_path: str | None = None
    encoding: str = "utf-8"
    delimiter: str = limited("auto", neutral="auto")
    quoting: str = limited("auto", choices=("auto", "minimal", "none"), neutral="auto")
    text: str = "text"
    text_pair: str | None = None
    label: str | None = "label"
    tokens: str | None = limited(None, neutral=None)
    tags: Any = field(default=None, metadata={"neutral": None})  # str | list[str] | None, as label_names
    join: int = limited(1, low=1, high=100, neutral=1)
    language: str | None = limited(None, neutral=None)
    lower: str | None = limited(None, choices=("auto", "tr"), neutral=None)
    windows: bool = limited(True, neutral=True)
    overlap: int | None = limited(None, low=0, neutral=None)
    null_threshold: float = limited(0.0, neutral=0.0)
    max_answer: int = limited(30, low=1, neutral=30)
    find: str = limited("off", choices=("off", "unique"), neutral="off")
    bad_spans: str = limited("refuse", choices=("refuse", "drop"), neutral="refuse")
    labels: list[str] = field(default_factory=list, metadata={"neutral": []})  # columns of 0 and 1, one per label
    label_separator: str | None = limited(None, neutral=None)
    threshold: str = limited("0.5", neutral="0.5")  # of sets of labels; THRESHOLDS, or a number between 0 and 1
    empty: str = limited("keep", choices=("keep", "drop"), neutral="keep")
    rare: str = limited("refuse", choices=("refuse", "keep"), neutral="refuse")
    queries: str | None = limited(None, neutral=None)
    corpus: str | None = limited(None, neutral=None)
    qrels: str | None = limited(None, neutral=None)
    candidates: str | None = limited(None, neutral=None)
    audio: str | None = limited(None, neutral=None)
    rate: int = limited(16000, low=4000, high=192000, neutral=16000)
    seconds: float | None = limited(5.0, above=0.0, high=3600.0, neutral=5.0)
    average_frames: int = limited(4, low=1, high=100, neutral=4)
    stack_frames: int = limited(1, low=1, high=100, neutral=1)
    max_mb: float = limited(20.0, above=0.0, high=2000.0, neutral=20.0)
    augment: SoundAugmentation = field(default_factory=SoundAugmentation)
    negatives: int | None = limited(7, low=1, neutral=7)
    relevant_from: float = limited(1.0, above=0.0, neutral=1.0)
    passages: str = limited("max", choices=("max", "mean", "first"), neutral="max")
    label_names: Any = None  # list[str] | dict[str, str] | None, a type that a config field cannot have
    task: str = limited("auto", choices=("auto", "classification", "regression", "tags", "span", "multilabel", "rank"))
    metrics: list[str] = field(default_factory=list)  # those of runner/statistics/score_table.py
    positive: str | None = limited(None, neutral=None)
    split: str | None = None
    train_split: str = "train"
    select_split: str | None = None
    report_splits: dict[str, str] = field(default_factory=dict)
    report: list[str] = field(default_factory=list, metadata={"neutral": []})
    unlabelled: str = limited("refuse", choices=("refuse", "drop"))
    missing: str = limited("refuse", choices=("refuse", "drop"))
    clean: str | None = limited(None, choices=("tweets",), neutral=None)
    added_tokens: list[str] = field(default_factory=list, metadata={"neutral": []})
    select_fraction: float = limited(0.1, above=0.0, high=0.9)
    select_max_rows: int = limited(5000, low=1)
    test_fraction: float = limited(0.1, above=0.0, high=0.9)
    split_seed: int = limited(0, low=0)
    folds: int | None = limited(None, low=2, high=100, neutral=None)
    fold: str | None = limited(None, neutral=None)  # 0 to folds - 1, a value of fold_column, or ALL_FOLDS
    fold_seed: int = limited(0, low=0, neutral=0)
    fold_column: str | None = limited(None, neutral=None)
    calibration: str | None = limited(None, neutral=None)  # a share of train, a file, or a split; data/calibration.py
    duplicates: str = limited("keep", choices=("keep", "drop", "group", "refuse"), neutral="keep")
    group: str | None = limited(None, neutral=None)
    codes: str | None = limited(None, neutral=None)
    tree: str | None = limited(None, neutral=None)
    max_rows: int | None = limited(None, low=1)
    labelled_rows: int | None = limited(None, low=1, neutral=None)
    max_eval_rows: int | None = limited(None, low=1)
    max_length: int = limited(128, low=4, high=65536)
    truncate: str = limited("end", choices=("end", "middle"), neutral="end")
    standardize: str = limited("auto", choices=("auto", "always", "never", "range"), neutral="auto")
    symmetric: bool = limited(False, neutral=False)
    class_weights: str = limited("none", choices=("none", "balanced", "sqrt"))
    demo_task: str = limited("sentiment", choices=("sentiment", "entailment", "rank", "tags"))
    demo_rows: int = limited(12000, low=20, high=1000000)


def split_names(settings: DataSettings) -> tuple[str, list[str]]:
    """Return the name of the split used for model selection and those of the reported splits; they never overlap.

    With a labelled test split: select on `val`, report `test`. Without one (GLUE): select on `tune`, a slice of train,
    and report validation. From one file, one split of a hub dataset, or the folds of a column, both are cut off train.
    """
    is_whole = settings.source == "hub" and settings.split is None and settings.fold_column is None
    report = list(settings.report_splits) if is_whole else ["test"]
    return ("val" if "test" in report else "tune"), report


def of_split(settings: DataSettings, split: str) -> DataSettings:
    """Return the settings for reading one split: only train needs the columns of data.group and data.fold_column."""
    if split == "train":
        return settings
    return replace(settings, group=settings.group if settings.group in GROUP_RULES else None, fold_column=None)


def normalize_label_names(given: object) -> list[str] | dict[str, str]:
    """Return data.label_names with all names and values as text, however YAML read them; DataError for other types.

    given: also a text in YAML's flow style, such as "{öfke: anger}", as Hydra's own mappings have ASCII keys alone.
    """
    given = _read_flow(given) if isinstance(given, str) else given
    pairs: list[tuple[Any, Any]] | None = [] if given is None else None
    if isinstance(given, dict | list):
        pairs = list(given.items()) if isinstance(given, dict) else [("", name) for name in given]
    plain = str | int | float | bool
    if pairs is None or not all(isinstance(key, plain) and isinstance(name, plain) for key, name in pairs):
        raise DataError(
            f"data.label_names={given}: a list of names or a mapping of values to names is needed. "
            "Try: 'data.label_names=[negative,positive]', or 'data.label_names={0: negative, 1: positive}'"
        )
    if isinstance(given, dict) and given:
        return {str(value): str(name) for value, name in given.items()}
    return [str(name) for _, name in pairs]


def _read_flow(text: str) -> object:
    """Parse a list or mapping in YAML's flow style, with all values as text; return any other text unchanged."""
    import yaml

    if not text.lstrip().startswith(("[", "{")):
        return text
    try:
        found: object = yaml.load(text, Loader=yaml.BaseLoader)  # makes nothing but texts, lists and mappings
    except yaml.YAMLError:
        return text
    return found
