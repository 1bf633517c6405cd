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
class Masking(StageSettings):
    """What all prunings of single weights have; conf/compression/_masks.yaml explains each."""

    kind: ClassVar[str] = "prune"
    needs: ClassVar[tuple[str, ...]] = ("encoder",)

    matrices: str | None = None
    epochs: float = limited(6.0, low=0.0, high=100000.0)
    lr: float | None = limited(None, above=0.0, high=100.0)
    warmup: float | None = limited(None, low=0.0, high=1.0)
    start: float = limited(1 / 6, low=0.0, high=1.0)
    end: float = limited(5 / 6, low=0.0, high=1.0)
    every: int = limited(10, low=1)
    freeze_embeddings: bool = True

    def contradictions(self, name: str) -> list[str]:
        """A schedule that ends before it begins, or that no training follows."""
        if self.start > self.end:
            return [
                f"compression.{name}.start={self.start:g} is later than compression.{name}.end={self.end:g}. "
                f"Try: compression.{name}.start={self.end / 2:g}"
            ]
        return []


@dataclass
class Magnitude(Masking):
    """The smallest weights go."""

    method: str = limited("magnitude", choices=("magnitude",))
    density: float = limited(0.1, above=0.0, high=1.0)
    scope: str = limited("local", choices=("local", "global"))


@dataclass
class Movement(Masking):
    """The weights that training moves towards zero go."""

    method: str = limited("movement", choices=("movement",))
    form: str = limited("hard", choices=("hard", "soft"))
    density: float = limited(0.1, above=0.0, high=1.0)
    scope: str = limited("local", choices=("local", "global"))
    threshold: float = limited(0.1, above=0.0, high=1.0)
    penalty: float = limited(400.0, low=0.0)
    score_lr: float = limited(1e-2, above=0.0, high=100.0)

    def contradictions(self, name: str) -> list[str]:
        """Also scores that decide before they have learned anything."""
        found = super().contradictions(name)
        if not self.start or not self.epochs:
            found.append(
                f"compression.{name}: the scores are all 0 at first, so nothing may go before they are trained. "
                f"Try: compression.{name}.start=0.1 compression.{name}.epochs=6"
            )
        return found


@dataclass
class L0(Masking):
    """Gates that are fined for being open."""

    method: str = limited("l0", choices=("l0",))
    penalty: float = limited(125.0, low=0.0)
    init: float = limited(2.197, low=-10.0, high=10.0)
    score_lr: float = limited(1e-1, above=0.0, high=100.0)

    def contradictions(self, name: str) -> list[str]:
        """Also gates that never learn."""
        found = super().contradictions(name)
        if not self.epochs:
            found.append(f"compression.{name}.epochs=0: gates are closed by training. Try: compression.{name}.epochs=6")
        return found


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


METHODS: dict[str, type[StageSettings]] = {
    "dendrites": Dendrites,
    "magnitude": Magnitude,
    "movement": Movement,
    "l0": L0,
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
        if "encoder" in stage.needs and not has_encoder and not getattr(stage, "matrices", None):
            own = f", or compression.{name}.matrices=*word_embeddings" if hasattr(stage, "matrices") else ""
            found.append(f"compression=[{name}] works on an encoder, and model=dsn has none. Try: model=bert-tiny{own}")
    return found
