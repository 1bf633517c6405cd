"""A run's record, typed: code that reads `record.json` uses these attributes, and no other file knows its keys.

    record = RunRecord.from_json(content)      # RecordError: what is wrong with it
    record.metrics[record.data.primary]

`from_json` validates: records are repaired by hand, cut off by full disks and sent by other people.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, TypeVar

from data.json_types import Json, JsonObject
from runner.record.calibration import CalibrationFacts
from runner.record.identity import recorded_settings
from runner.record.recipe import ChosenRecipe
from runner.record.thresholds import ThresholdFacts
from runner.record.validation import problem_of_record

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

SCHEMA_VERSION = 1
OPTIONAL = ("targets", "calibration")  # keys of the data that are left out if they are null
Kind = TypeVar("Kind", bound="DataclassInstance")


class RecordError(ValueError):
    """An invalid record; the text says what is wrong with it."""


@dataclass(frozen=True)
class StageEntry:
    """The metrics after one stage of a chain, and the run that made it."""

    name: str
    metrics: dict[str, float]
    run: str | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class ClassReport:
    """The scores of each class on one split, in id order; confusion: rows are labels, columns predictions."""

    classes: list[str]
    support: list[int]
    predicted: list[int]
    precision: list[float]
    recall: list[float]
    f1: list[float]
    confusion: list[list[int]] | None = None


@dataclass(frozen=True)
class DataFacts:
    """The data of a run: their source, the number of rows, the labels; dictionaries are by split."""

    task: str
    primary: str  # the headline metric, e.g. test/accuracy
    rows: dict[str, int]
    selection: str | None = None  # the metric that selects, e.g. val/accuracy
    calibration: str | None = None  # the split that was set aside to calibrate on; None: that which selects
    name: str | None = None
    source: str | None = None
    fingerprint: str | None = None
    fingerprints: dict[str, str] = field(default_factory=dict)
    truncated: dict[str, int] = field(default_factory=dict)
    lengths: dict[str, dict[str, float]] = field(default_factory=dict)
    dropped: dict[str, int] = field(default_factory=dict)
    duplicates: dict[str, int] = field(default_factory=dict)
    labels: list[str] = field(default_factory=list)
    label_columns: list[int] = field(default_factory=list)  # of words with two labels: how many of `labels` are of each
    has_empty: bool = False  # is no answer the right one for some rows?
    positive: str | None = None
    targets: dict[str, float] | None = None  # mean and sd by which training standardised

    @property
    def positive_index(self) -> int:
        """The class that F1, precision and recall are about; class 1 in records that do not say."""
        return self.labels.index(self.positive) if self.positive in self.labels else 1

    @property
    def positive_name(self) -> str | None:
        """The name of that class; None if there are not two classes."""
        return self.labels[self.positive_index] if len(self.labels) == 2 else None

    def examples(self, split: str) -> str:
        """Return the fingerprint of the rows that a split's predictions are about, else that of the whole data."""
        return str(self.fingerprints.get(split) or self.fingerprint)

    def to_json(self) -> JsonObject:
        """Return the object in record.json; `targets` and `calibration` only where there are any."""
        return {key: value for key, value in asdict(self).items() if value is not None or key not in OPTIONAL}

    @property
    def calibrating(self) -> str:
        """The name of the split with the calibration rows; "" in records that name none."""
        return self.calibration or (self.selection or "").partition("/")[0]


@dataclass(frozen=True)
class Environment:
    """The process and the machine of a run; `machine` holds the facts of runner/machine/facts.py."""

    machine: JsonObject = field(default_factory=dict)
    threads: int | None = None
    device: str | None = None
    code_version: str | None = None
    numbers_version: str | None = None
    engine: JsonObject = field(default_factory=dict)  # how the arithmetic was done: precision, matrix backend

    @classmethod
    def from_json(cls, content: JsonObject) -> Environment:
        """From the object in record.json, which is flat."""
        own = [one.name for one in fields(cls) if one.name != "machine"]
        facts = {key: value for key, value in content.items() if key not in own}
        known = {key: value for key, value in content.items() if key in own and value is not None}
        return cls(facts, **known)

    def to_json(self) -> JsonObject:
        """Return the flat object in record.json."""
        own = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "machine"}
        return self.machine | own

    @property
    def numbers(self) -> str | None:
        """The version of the numbers; older records give the release instead."""
        return self.numbers_version or self.code_version

    @property
    def gemm(self) -> str | None:
        """The matrix backend; None if the record does not say."""
        return self.engine.get("gemm")

    @property
    def processor(self) -> str:
        """The kind of machine, for tables: processor, cores, device."""
        cpu, cores = self.machine.get("cpu"), self.machine.get("cores")
        return f"{cpu}, {cores} core{'' if cores == 1 else 's'}, {self.device}"

    @property
    def git_commit(self) -> str | None:
        """The commit of the checkout that the code was run from."""
        return self.machine.get("git_commit")

    @property
    def git_dirty(self) -> bool | None:
        """Whether that checkout had changes."""
        return self.machine.get("git_dirty")


@dataclass(frozen=True)
class TokenizerFacts:
    """The vocabulary of a run."""

    source: str | None = None
    vocab_size: int | None = None
    fingerprint: str | None = None


@dataclass(frozen=True)
class WeightsFacts:
    """The weights that a run started from; `loaded` counts tensors, `new` names those drawn from the seed."""

    source: str | None = None
    fingerprint: str | None = None
    loaded: int | None = None
    new: list[str] | str | None = None  # or: all
    ignored: list[str] | None = None


@dataclass(frozen=True)
class RunRecord:
    """One run: what it computed, from what, where, and its results. Times are UTC, ISO 8601."""

    identity: str
    name: str
    config: JsonObject  # the resolved settings, nested by group
    data: DataFacts
    status: str = "running"  # running | done | failed | killed
    reason: str | None = None
    started: str = ""
    ended: str | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    stages: list[StageEntry] = field(default_factory=list)
    steps: int = 0  # of all trainings that are finished
    overrides: list[str] = field(default_factory=list)
    environment: Environment = field(default_factory=Environment)
    tokenizer: TokenizerFacts = field(default_factory=TokenizerFacts)
    weights: WeightsFacts = field(default_factory=WeightsFacts)
    notes: list[str] = field(default_factory=list)
    reports: dict[str, ClassReport] = field(default_factory=dict)  # by split
    resumed_from_step: int | None = None
    pruned: bool = False  # ended by a search, because other trials were better
    recipe: ChosenRecipe | None = None  # of a run with train.recipe=auto
    calibration: CalibrationFacts | None = None  # of answers that are classes; None in older records
    thresholds: ThresholdFacts | None = None  # of sets of labels, where they are fitted
    schema_version: int = SCHEMA_VERSION

    @classmethod
    def from_json(cls, content: JsonObject) -> RunRecord:
        """Return the record in a JSON object; raise RecordError if it is not one that the runner writes."""
        if problem := problem_of_record(content):
            raise RecordError(problem)
        return known_fields(cls, content | {key: make(content.get(key)) for key, make in PARTS.items()})

    def to_json(self) -> JsonObject:
        """Return the object in record.json: the status first, and only what is known so far."""
        content: JsonObject = {
            "schema_version": self.schema_version, "status": self.status, "reason": self.reason,
            "started": self.started, "ended": self.ended, "metrics": self.metrics,
            "stages": [asdict(entry) for entry in self.stages], "steps": self.steps, "identity": self.identity,
            "name": self.name, "config": self.config, "overrides": self.overrides,
            "environment": self.environment.to_json(), "data": self.data.to_json(),
            "tokenizer": asdict(self.tokenizer), "weights": asdict(self.weights), "notes": self.notes,
        }  # fmt: skip
        if self.reports or self.stages:  # {} for a model that was evaluated and has no classes
            content["reports"] = {name: asdict(part) for name, part in self.reports.items()}
        if self.resumed_from_step is not None:
            content["resumed_from_step"] = self.resumed_from_step
        if self.recipe is not None:
            content["recipe"] = self.recipe.to_json()
        if self.calibration is not None:
            content["calibration"] = asdict(self.calibration)
        if self.thresholds is not None:
            content["thresholds"] = asdict(self.thresholds)
        return content | ({"pruned": True} if self.pruned else {})

    @property
    def seed(self) -> int:
        """The seed of the run."""
        return int(self.config["seed"])

    @property
    def model(self) -> str:
        """The name of the model's preset, e.g. dsn."""
        return str(self.config["model"]["name"])

    @property
    def dataset(self) -> str:
        """The name of the data's preset, e.g. imdb."""
        return str(self.config["data"]["name"])

    @property
    def scores(self) -> list[str]:
        """The scores that data.metrics names, the headline's first."""
        return list(self.config["data"]["metrics"])

    @property
    def compression(self) -> list[str]:
        """The names of the compression stages, in order; [] for none."""
        return [name for name in self.config.get("compression") or {} if name != "none"]

    @property
    def settings(self) -> JsonObject:
        """The config, flat, with neutral values for settings that are newer than the record."""
        return recorded_settings(self.config)

    def setting(self, key: str, default: Json = None) -> Any:
        """Return one setting by its dotted key, e.g. train.evals; the default where the record has none."""
        found: Json = self.config
        for part in key.split("."):
            found = found.get(part) if isinstance(found, dict) else None
        return default if found is None or isinstance(found, dict) else found

    @property
    def is_calibrated(self) -> bool:
        """May the shares in the run's answers be called probabilities? Otherwise they are scores."""
        return self.calibration is not None and self.calibration.is_calibrated

    @property
    def headline(self) -> float | None:
        """The headline score; None before there is one."""
        return self.metrics.get(self.data.primary)


def known_fields(kind: type[Kind], content: Mapping[str, object]) -> Kind:
    """Return an instance of a dataclass from an object that may hold other keys, or null for a default."""
    return kind(**{k: value for k, value in content.items() if value is not None and k in kind.__dataclass_fields__})


PARTS: dict[str, Callable[[Any], object]] = {  # how each part is read from a valid record
    "data": lambda part: known_fields(DataFacts, part),
    "stages": lambda entries: [known_fields(StageEntry, entry) for entry in entries],
    "environment": lambda part: Environment.from_json(part or {}),
    "tokenizer": lambda part: known_fields(TokenizerFacts, part or {}),
    "weights": lambda part: known_fields(WeightsFacts, part or {}),
    "reports": lambda parts: {split: known_fields(ClassReport, part) for split, part in (parts or {}).items()},
    "recipe": lambda part: ChosenRecipe.from_json(part) if part else None,
    "calibration": lambda part: known_fields(CalibrationFacts, part) if part else None,
    "thresholds": lambda part: known_fields(ThresholdFacts, part) if part else None,
}


def in_order(records: Sequence[RunRecord]) -> list[RunRecord]:
    """Return the records by the time of their start, oldest first."""
    return sorted(records, key=lambda record: record.started)
