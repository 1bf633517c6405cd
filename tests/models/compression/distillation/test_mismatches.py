"""Losses that student and teacher do not allow after heads are removed; other refusals are tested with the stage."""

from __future__ import annotations

import re
from typing import Any

import pytest

from models.compression.distillation.internals import shape_of
from models.compression.distillation.mismatches import mismatches
from models.compression.settings.learn import Distil as Options
from models.compression.structured.layer_widths import restore
from tests.models.helpers import small


def cut(*layers: list[int]) -> Any:
    """A small model of two layers with these numbers of heads and neurons."""
    return restore(small(), {"layers": list(layers)})


@pytest.mark.parametrize(
    ("used", "layers", "message"),
    [
        ({"attention", "hidden"}, ([0, 48], [4, 48]), "loss attention compares attention, but layer 1 of the student"),
        ({"relation"}, ([4, 48], [0, 48]), "layer 2 of the student has no heads left. Try: relation=0 and hidden=1"),
        ({"relation"}, ([4, 48], [3, 48]), "relation_heads=16 must divide the student's width 24 .* relation_heads=8"),
    ],
)
def test_attention_without_heads_or_of_an_undivided_width_is_refused(
    used: set[str], layers: tuple[list[int], list[int]], message: str
) -> None:
    (found,) = mismatches(used, shape_of(cut(*layers)), shape_of(small()), Options(relation_heads=16))
    assert re.search(message, found), found


def test_a_teacher_without_heads_is_refused_too() -> None:
    (found,) = mismatches({"attention"}, shape_of(small()), shape_of(cut([4, 48], [0, 48])), Options())
    assert "layer 2 of the teacher has no heads left" in found


def test_states_and_attention_of_layers_with_heads_can_be_compared() -> None:
    shape = shape_of(cut([0, 48], [4, 48]))
    assert mismatches({"hidden", "embedding", "cosine"}, shape, shape_of(small()), Options()) == []
    assert mismatches({"relation"}, shape, shape_of(small()), Options(relation_heads=8)) == []
