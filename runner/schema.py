"""One dataclass per config group, with units and ranges in the field metadata; standard library only.

`runner/config/check.py` reads the metadata before anything heavy is imported: `low`, `high` (both allowed values),
`above` (not itself allowed), `choices` and `count` (of a list's values); `runner/record/identity.py` reads `neutral`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeVar

from data.settings import DataSettings, TaskSettings
from models.settings import ModelSettings
from models.views.settings import ViewSettings
from runner.measure.settings import MeasureSettings
from runner.sweep.settings import SweepSettings
from runner.track.settings import TrackerSettings

Value = TypeVar("Value")


def limited(default: Value, **limits: object) -> Value:
    """Return a dataclass field with its range in the metadata: low=, high=, above= or choices=.

    neutral=: the value with which a field that was added later is no part of a run's identity.
    """
    return field(default=default, metadata=limits)


VECTOR_SCALING = "vector"  # the calibration that may change an answer
COSENT = "cosent"  # the loss of the order of cosines
COSINE_LOSSES = (COSENT, "squared")  # values of train.loss for models that compare by cosine alone
ROW_SGD = "row_sgd"  # plain SGD that updates only the embedding rows of a step; its rate is per text


@dataclass
class OptimizerSettings:
    """AdamW, SGD, or SGD row by row; `lr` is the peak rate."""

    name: str = limited("adamw", choices=("adamw", "sgd", ROW_SGD))
    description: str = ""
    lr: float = limited(3e-4, above=0.0, high=100.0)
    layer_decay: float = limited(1.0, above=0.0, high=1.0, neutral=1.0)
    weight_decay: float = limited(0.01, low=0.0, high=10.0)
    betas: list[float] = field(default_factory=lambda: [0.9, 0.999], metadata={"low": 0.0, "high": 0.99999, "count": 2})
    eps: float = limited(1e-8, above=0.0, high=1.0)
    momentum: float = limited(0.0, low=0.0, high=1.0)


@dataclass
class ScheduleSettings:
    """How the learning rate moves; `warmup` is a share of all steps."""

    name: str = limited("linear", choices=("linear", "cosine", "constant", "plateau"))
    description: str = ""
    warmup: float = limited(0.1, low=0.0, high=1.0)
    factor: float = limited(0.5, above=0.0, high=1.0)
    patience: int = limited(2, low=0)


@dataclass
class TrainSettings:
    """The loop: sizes in rows, tokens and epochs."""

    description: str = ""
    recipe: str = limited("sized", choices=("sized", "preset", "auto"), neutral="preset")
    epochs: float = limited(3.0, above=0.0, high=100000.0)
    steps: int | None = limited(None, low=1)
    batch_size: int = limited(32, low=1)
    token_budget: int | None = limited(None, low=8)
    accumulate: int = limited(1, low=1)
    loss: str = limited(
        "auto", choices=("auto", "pointwise", "pairwise", "hinge", "listwise", "cosent", "squared"), neutral="auto"
    )
    label_smoothing: float = limited(0.0, low=0.0, high=0.9, neutral=0.0)
    r_drop: float = limited(0.0, low=0.0, high=100.0, neutral=0.0)
    maxmatch_dropout: float = limited(0.0, low=0.0, high=1.0, neutral=0.0)
    clip_norm: float = limited(1.0, low=0.0)
    precision: str = limited("fp32", choices=("fp32", "bf16"))
    on_nonfinite: str = limited("stop", choices=("stop", "skip"))
    threads: int | None = limited(None, low=1, high=1024)
    patience: int | None = limited(None, low=1)
    evals: int | None = limited(None, low=1)
    eval_every: int = limited(1, low=1, neutral=1)
    keep_best: bool = True
    average: int = limited(1, low=1, high=100)
    eval_batch_size: int = limited(64, low=1)


@dataclass
class EngineSettings:
    """How the arithmetic is done; nothing here changes a result beyond rounding."""

    description: str = ""
    gemm: str = limited("auto", choices=("auto", "default", "onednn"))
    compact_vocabulary: str = limited("auto", choices=("auto", "always", "never"))
    compile: bool = False


@dataclass
class CheckpointSettings:
    """Seconds between checkpoints; one more is written at the end of each epoch that took at least a second.

    pause_at: the share of the steps after which a training pauses, at the end of an epoch.
    """

    every_s: float = limited(300.0, above=0.0)
    pause_at: float | None = limited(None, above=0.0, high=1.0, neutral=None)


@dataclass
class CacheSettings:
    """The cached states of a frozen encoder; `max_gb` in 1e9 bytes."""

    mode: str = limited("disk", choices=("disk", "none"))
    dtype: str = limited("bf16", choices=("bf16", "fp32"))
    max_gb: float = limited(20.0, above=0.0)
    path: str | None = None


@dataclass
class BaselineSettings:
    """The models that a run is compared with; never part of its identity."""

    ngram: str = limited("auto", choices=("auto", "off"), neutral="auto")


@dataclass
class PathSettings:
    """Where results and caches live; never part of a run's identity."""

    output: str = "outputs"
    cache: str = "~/.cache/bertier"


@dataclass
class Settings:
    """The settings of one experiment."""

    model: ModelSettings = field(default_factory=ModelSettings)
    view: ViewSettings = field(default_factory=ViewSettings)
    data: DataSettings = field(default_factory=DataSettings)
    task: TaskSettings = field(default_factory=TaskSettings)
    optimizer: OptimizerSettings = field(default_factory=OptimizerSettings)
    schedule: ScheduleSettings = field(default_factory=ScheduleSettings)
    train: TrainSettings = field(default_factory=TrainSettings)
    engine: EngineSettings = field(default_factory=EngineSettings)
    measure: MeasureSettings = field(default_factory=MeasureSettings)
    tracker: TrackerSettings = field(default_factory=TrackerSettings)
    compression: dict[str, Any] = field(default_factory=dict)  # name: StageSettings, in order
    finished: str | None = None  # model folder of the run that the stages are applied to
    seed: int = limited(0, low=0, high=2**32 - 1)
    device: str = limited("auto", choices=("auto", "cpu", "cuda"))
    calibration: str = limited("temperature", choices=("temperature", VECTOR_SCALING, "off"), neutral="temperature")
    force: bool = False
    resume: str = limited("auto", choices=("auto", "never", "must"))
    checkpoint: CheckpointSettings = field(default_factory=CheckpointSettings)
    cache: CacheSettings = field(default_factory=CacheSettings)
    baseline: BaselineSettings = field(default_factory=BaselineSettings)
    paths: PathSettings = field(default_factory=PathSettings)


@dataclass
class Command(Settings):
    """The settings of a command line: an experiment, and how several of them are run together."""

    sweep: SweepSettings = field(default_factory=SweepSettings)
    density: float = limited(0.1, above=0.0, high=1.0)


# The tokenizer that `auto` stands for: the WordPiece vocabulary that all published BERT sizes share.
DEFAULT_TOKENIZER = "google-bert/bert-base-uncased"
