"""Losses that do not fit a student and its teacher, each with a cure."""

from __future__ import annotations

import numpy as np

from models.compression.distillation.internals import Shape
from models.compression.distillation.layer_map import layer_map
from models.compression.settings.learn import Distil as Options

ATTENTION = {"attention", "relation"}  # losses that compare the insides of self-attention


def mismatches(used: set[str], student: Shape, teacher: Shape, options: Options) -> list[str]:
    """A one-line message with a fix for each loss that does not fit student and teacher."""
    for who, shape in (("student", student), ("teacher", teacher)):
        if why_not := _unreadable(used, who, shape):
            return [why_not]
    layers = layer_map(options.layers, student.layers, teacher.layers)
    if found := _without_heads(used, student, teacher, layers):
        return found
    if "attention" in used:
        unequal = {(student.heads[own - 1], teacher.heads[other - 1]) for own, other in layers.items()}
        found += [
            f"loss attention compares heads one by one, but the student has {own} and the teacher {other}. "
            f"Try: attention=0 and relation=1 among the losses, or a student with model.heads={other}"
            for own, other in sorted(unequal) if own != other
        ]  # fmt: skip
    if "relation" in used:
        found += _undivided(student, teacher, layers, options.relation_heads)
    if "cosine" in used and student.width != teacher.width:
        found.append(
            f"loss cosine needs equal widths, but the student has {student.width} and the teacher {teacher.width}. "
            "Try: cosine=0 and hidden=1 among the losses"
        )
    return found


def _unreadable(used: set[str], who: str, shape: Shape) -> str:
    """A message if the losses compare states that cannot be read in the student or the teacher (`who`); else ""."""
    listed = ", ".join(sorted(used))
    if not shape.layers:
        return (
            f"losses {listed} compare layers, but the {who} has none that can be read. "
            "Try: the losses soft and hard alone"
        )
    if shape.reads_apart:
        return (
            f"losses {listed} compare the tokens of a pair, but the {who} is a bi-encoder, which encodes its two "
            "texts separately. Try: the losses soft and hard alone"
        )
    if used & ATTENTION and not shape.heads:
        return f"losses {listed} compare attention, but the {who}'s cannot be read. Try: the loss hidden instead"
    return ""


def _without_heads(used: set[str], student: Shape, teacher: Shape, layers: dict[int, int]) -> list[str]:
    """A message for the first compared layer whose heads have all been removed; layers: student to teacher."""
    compared = layers if "attention" in used else dict([max(layers.items())]) if "relation" in used else {}
    listed = " and ".join(sorted(used & ATTENTION))
    for own, other in compared.items():
        for who, shape, layer in (("student", student, own), ("teacher", teacher, other)):
            if not shape.heads[layer - 1]:
                return [
                    f"loss {listed} compares attention, but layer {layer} of the {who} has no heads left. "
                    f"Try: {', '.join(f'{name}=0' for name in sorted(used & ATTENTION))} and hidden=1 among the losses"
                ]
    return []


def _undivided(student: Shape, teacher: Shape, layers: dict[int, int], heads: int) -> list[str]:
    """A message unless `heads` divides the widths of the queries of the last layers, which loss relation compares."""
    own, other = max(layers.items())
    widths = student.projected[own - 1], teacher.projected[other - 1]
    if not any(width % heads for width in widths):
        return []
    return [
        f"relation_heads={heads} must divide the student's width {widths[0]} and the "
        f"teacher's {widths[1]}. Try: relation_heads={np.gcd(*widths)}"
    ]
