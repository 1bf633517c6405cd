"""The settings of one dataset; standard library only, because configs are checked before anything heavy is imported."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

METRICS = ("accuracy", "f1", "f1_macro", "mcc", "pearson", "spearman", "mse")


def limited(default: Any, **limits: Any) -> Any:
    """A dataclass field with its range in the metadata: low=, high=, above= or choices=.

    neutral=: the value with which a field that was added later is no part of a run's identity.
    """
    return field(default=default, metadata=limits)


@dataclass
class TaskSettings:
    """What is learnt: what the labels say, or masked words; conf/task/ explains each."""

    name: str = limited("auto", choices=("auto", "mlm"))
    description: str = ""
    share: float = limited(0.15, above=0.0, high=0.9)
    masked: float = limited(0.8, low=0.0, high=1.0)
    random: float = limited(0.1, low=0.0, high=1.0)
    output: str = limited("tied", choices=("tied", "own", "fixed"))


@dataclass
class DataSettings:
    """Where texts and labels come from and who trains, selects, reports; conf/data/_shared.yaml explains each."""

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
    text: str = "text"
    text_pair: str | None = None
    label: str | None = "label"
    label_names: list[str] = field(default_factory=list)
    task: str = limited("auto", choices=("auto", "classification", "regression"))
    metrics: list[str] = field(default_factory=list, metadata={"choices": METRICS})
    split: str | None = None
    train_split: str = "train"
    select_split: str | None = None
    report_splits: dict[str, str] = field(default_factory=dict)
    unlabelled: str = limited("refuse", choices=("refuse", "drop"))
    missing: str = limited("refuse", choices=("refuse", "drop"))
    select_fraction: float = limited(0.1, above=0.0, high=0.9)
    select_max_rows: int = limited(5000, low=1)
    test_fraction: float = limited(0.1, above=0.0, high=0.9)
    split_seed: int = limited(0, low=0)
    max_rows: int | None = limited(None, low=1)
    max_eval_rows: int | None = limited(None, low=1)
    max_length: int = limited(128, low=4, high=65536)
    standardize: str = limited("auto", choices=("auto", "always", "never"), neutral="auto")
    class_weights: str = limited("none", choices=("none", "balanced"))
    demo_task: str = limited("sentiment", choices=("sentiment", "entailment"))
    demo_rows: int = limited(12000, low=20, high=1000000)


def split_names(settings: DataSettings) -> tuple[str, list[str]]:
    """The split that selects, and those that are reported; never the same.

    With a labelled test split: select on `val`, report `test`. Without one (GLUE): select on `tune`, a slice of train,
    and report validation. One file, or one split of the hub's: both are cut off it.
    """
    is_whole = settings.source == "hub" and settings.split is None
    report = list(settings.report_splits) if is_whole else ["test"]
    return ("val" if "test" in report else "tune"), report
