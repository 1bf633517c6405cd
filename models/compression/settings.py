"""The settings of each compression method, and what may follow what; standard library only, as configs are checked
before torch is imported.

A YAML in conf/compression/ names its method and gives the options; several YAMLs may be presets of one method.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from models.settings import limited

RANK = {"learn": 0, "prune": 1, "quantize": 2}


@dataclass
class StageSettings:
    """What every stage has."""

    kind: ClassVar[str] = "learn"  # learn | prune | quantize
    starts: ClassVar[str] = "tuned"  # fresh: may be the first thing done to a model; tuned: is trained before
    needs: ClassVar[tuple[str, ...]] = ()  # of: teacher (an option of that name), encoder
    keeps_zeros: ClassVar[bool] = False  # leaves pruned weights at zero, so that it may follow a pruning

    method: str = ""  # a subclass: limited("<method>", choices=("<method>",))
    description: str = ""

    def contradictions(self, name: str) -> list[str]:
        """One line for each pair of options that cannot go together; name: what the command line calls the stage."""
        return []


@dataclass
class DistilLosses:
    """The weight of each loss in a phase; 0: not computed."""

    soft: float = limited(0.0, low=0.0)
    hard: float = limited(0.0, low=0.0)
    hidden: float = limited(0.0, low=0.0)
    attention: float = limited(0.0, low=0.0)
    embedding: float = limited(0.0, low=0.0)
    relation: float = limited(0.0, low=0.0)
    cosine: float = limited(0.0, low=0.0)


@dataclass
class DistilPhase:
    """One training of a distillation; None: as the run's own settings say."""

    losses: DistilLosses = field(default_factory=DistilLosses)
    epochs: float | None = limited(None, above=0.0, high=100000.0)
    lr: float | None = limited(None, above=0.0, high=100.0)
    batch_size: int | None = limited(None, low=1)
    schedule: str | None = limited(None, choices=("linear", "cosine", "constant", "plateau"))
    warmup: float | None = limited(None, low=0.0, high=1.0)


@dataclass
class Distil(StageSettings):
    """Learning from a teacher, in phases one after the other; conf/compression/distil.yaml explains each."""

    starts: ClassVar[str] = "fresh"
    needs: ClassVar[tuple[str, ...]] = ("teacher",)

    method: str = limited("distil", choices=("distil",))
    teacher: str | None = None
    unlabelled: str | None = None
    unlabelled_rows: int | None = limited(None, low=1)
    soft: str = limited("kl", choices=("kl", "cross_entropy"))
    temperature: float = limited(2.0, above=0.0, high=100.0)
    layers: str = limited("uniform", choices=("uniform", "top", "bottom", "last"))
    projection: str = limited("shared", choices=("shared", "per_layer"))
    relation_heads: int = limited(16, low=1, high=1024)
    phases: dict[str, DistilPhase] = field(default_factory=dict)

    def contradictions(self, name: str) -> list[str]:
        """Phases in which nothing is learned."""
        idle = [phase for phase, settings in self.phases.items() if not any(vars(settings.losses).values())]
        return [
            f"compression.{name}.phases.{phase}.losses are all 0: nothing is learned. "
            f"Try: compression.{name}.phases.{phase}.losses.soft=1"
            for phase in idle
        ]


@dataclass
class Dendrites(StageSettings):
    """Units of their own for chosen linear layers, added one after the other and kept where they pay."""

    method: str = limited("dendrites", choices=("dendrites",))
    mode: str = limited("gd", choices=("gd", "cascor", "random", "restart", "base"))
    targets: list[str] = field(default_factory=lambda: ["classifier"])
    act: str = limited("sigmoid", choices=("sigmoid", "tanh", "relu"))
    maximum: int = limited(5, low=1)
    tries: int = limited(2, low=1)
    attempts: int | None = limited(None, low=1)
    min_gain: float = limited(0.0, low=0.0)
    switch: str = limited("history", choices=("history", "fixed"))
    patience: int = limited(5, low=1)
    epochs: float | None = limited(None, above=0.0, high=100000.0)
    lr: float | None = limited(None, above=0.0, high=100.0)
    lr_factor: float = limited(1.0, above=0.0, high=1.0)
    spread: float | None = limited(None, above=0.0)
    pool: int = limited(4, low=1)
    objective: str = limited("cov", choices=("cov", "corr"))
    ema: float = limited(0.99, low=0.0, high=0.9999)
    p_rows: int | None = limited(20000, low=2)
    p_batch_size: int = limited(256, low=2)
    p_epochs: int = limited(40, low=1)
    p_patience: int = limited(5, low=1)
    p_lr: float = limited(0.01, above=0.0, high=100.0)


@dataclass
class Target:
    """How fast a structured pruning makes a model; a latency takes the place of the speed-up."""

    speedup: float = limited(2.0, low=1.0, high=1000.0)
    latency_ms: float | None = limited(None, above=0.0)


@dataclass
class Recovery:
    """The training after each cut: its length, and the weights of what it minimises."""

    epochs: float = limited(0.0, low=0.0, high=1000.0)
    lr: float = limited(5e-5, above=0.0)
    task: float = limited(0.0, low=0.0)
    answers: float = limited(1.0, low=0.0)
    states: float = limited(0.5, low=0.0)
    temperature: float = limited(2.0, above=0.0)


@dataclass
class Search:
    """The random search for how much each layer gives."""

    steps: int = limited(100, low=0)
    rows: int = limited(128, low=1)


@dataclass
class Ziplm(StageSettings):
    """Structured pruning to a measured speed."""

    kind: ClassVar[str] = "prune"
    needs: ClassVar[tuple[str, ...]] = ("encoder",)

    method: str = limited("ziplm", choices=("ziplm",))
    target: Target = field(default_factory=Target)
    batch: int = limited(1, low=1)
    length: int = limited(128, low=1)
    tolerance: float = limited(0.03, low=0.0, high=1.0)
    calibration_rows: int = limited(2048, low=1)
    round_to: int = limited(16, low=1)
    search: Search = field(default_factory=Search)
    steps: int = limited(1, low=1, high=100)
    recovery: Recovery = field(default_factory=Recovery)


@dataclass
class Bf16(StageSettings):
    """Weights and arithmetic in bfloat16; no options."""

    kind: ClassVar[str] = "quantize"
    method: str = limited("bf16", choices=("bf16",))


@dataclass
class RoundingSettings(StageSettings):
    """What all methods with integer weights have; tables are affine, one range a row."""

    kind: ClassVar[str] = "quantize"
    embeddings: bool = True
    embedding_bits: int = limited(8, low=2, high=8)
    head: bool = True


@dataclass
class WeightOnly(RoundingSettings):
    """Rounded weights, float32 arithmetic."""

    method: str = limited("weight_only", choices=("weight_only",))
    bits: int = limited(8, low=2, high=8)
    scheme: str = limited("symmetric", choices=("symmetric", "affine"))
    per: str = limited("row", choices=("tensor", "row", "group"))  # what shares a range
    group: int = limited(128, low=2)  # neighbours in a row, where per=group
    clip: float = limited(0.0, low=0.0, high=25.0)  # percent of a range's weights cut off at each end


@dataclass
class DynamicInt8(RoundingSettings):
    """int8 products, inputs rounded token by token."""

    method: str = limited("dynamic_int8", choices=("dynamic_int8",))


@dataclass
class StaticInt8(RoundingSettings):
    """int8 products, inputs rounded to ranges seen on `rows` training rows."""

    method: str = limited("static_int8", choices=("static_int8",))
    rows: int = limited(128, low=1)
    range: str = limited("minmax", choices=("minmax", "percentile", "entropy"))
    percentile: float = limited(99.99, low=90.0, high=100.0)  # of the values, kept at each end by range=percentile


@dataclass
class Splitquant(RoundingSettings):
    """Weights in three clusters, each rounded on its own."""

    method: str = limited("splitquant", choices=("splitquant",))
    bits: int = limited(2, low=2, high=8)
    form: str = limited("dense", choices=("dense", "packed", "whole"))
    per: str = limited("tensor", choices=("tensor", "row", "group"))
    group: int = limited(128, low=2)
    embeddings: bool = False


METHODS: dict[str, type[StageSettings]] = {
    "distil": Distil,
    "dendrites": Dendrites,
    "ziplm": Ziplm,
    "bf16": Bf16,
    "weight_only": WeightOnly,
    "dynamic_int8": DynamicInt8,
    "static_int8": StaticInt8,
    "splitquant": Splitquant,
}


def out_of_order(stages: dict[str, StageSettings]) -> list[str]:
    """One line for each stage that cannot come where it stands, with the order that can."""
    names, found = list(stages), []
    by_rank = sorted(names, key=lambda name: RANK[stages[name].kind])
    for place, name in enumerate(names):
        before = [earlier for earlier in names[:place] if RANK[stages[earlier].kind] > RANK[stages[name].kind]]
        if stages[name].keeps_zeros:
            before = [earlier for earlier in before if stages[earlier].kind == "quantize"]
        if before:
            undone = "the rounded weights" if stages[before[0]].kind == "quantize" else "the zeros"
            found.append(
                f"compression=[{','.join(names)}]: {name} after {before[0]} would undo {undone} of it. "
                f"Try: compression=[{','.join(by_rank)}]"
            )
    rounding = [name for name in names if stages[name].kind == "quantize"]
    if len(rounding) > 1:
        kept = [name for name in names if name not in rounding[1:]]
        found.append(
            f"compression=[{','.join(names)}]: {' and '.join(rounding)} both round the same weights. "
            f"Try: compression=[{','.join(kept)}]"
        )
    return found


def lacking(stages: dict[str, StageSettings], *, has_encoder: bool) -> list[str]:
    """One line for each thing a stage needs and does not get, and for its contradictions."""
    found = []
    for name, stage in stages.items():
        found += stage.contradictions(name)
        if "teacher" in stage.needs and not getattr(stage, "teacher", None):
            found.append(
                f"compression=[{name}] learns from a teacher. "
                f"Try: compression.{name}.teacher=<id of a finished run, a folder or a hub id>"
            )
        if "encoder" in stage.needs and not has_encoder:
            found.append(f"compression=[{name}] works on an encoder, and model=dsn has none. Try: model=bert-tiny")
    return found
