"""The settings of each compression method, and what may follow what; standard library only, as configs are checked
before torch is imported.

A YAML in conf/compression/ names its method and gives the options; several YAMLs may be presets of one method.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

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


METHODS: dict[str, type[StageSettings]] = {}


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
    """One line for each thing a stage needs and does not get."""
    found = []
    for name, stage in stages.items():
        if "teacher" in stage.needs and not getattr(stage, "teacher", None):
            found.append(
                f"compression=[{name}] learns from a teacher. "
                f"Try: compression.{name}.teacher=<id of a finished run, a folder or a hub id>"
            )
        if "encoder" in stage.needs and not has_encoder:
            found.append(f"compression=[{name}] works on an encoder, and model=dsn has none. Try: model=bert-tiny")
    return found
