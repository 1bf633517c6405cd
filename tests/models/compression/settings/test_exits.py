"""Options of exits that contradict each other are refused with the cure."""

from __future__ import annotations

import re
from typing import Any

import pytest

from models.compression.settings.chain import out_of_order
from models.compression.settings.exits import Exits
from models.compression.settings.pruning import Magnitude
from models.compression.settings.quantization import WeightOnly


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"threshold": 1.5}, "is from 0 to 1"),
        ({"rule": "patience", "threshold": 1.5}, "threshold=2"),
        ({"rule": "patience", "threshold": 0.0}, "threshold=1"),
        ({"threshold": 0.9, "guarantee": "net_loss"}, "threshold=null"),
        ({"after": []}, r"after=\[2,4\]"),
        ({"after": [3, 2]}, r"after=\[2,4\]"),
        ({"after": [0, 2]}, r"after=\[2,4\]"),
    ],
)
def test_contradictions_are_one_line_with_the_cure(options: dict[str, Any], words: str) -> None:
    (found,) = Exits(**options).contradictions("exits")
    assert re.search(words, found) and re.search("Try: '?compression.exits.", found)


def test_options_that_go_together_are_not_refused() -> None:
    for options in (
        {},
        {"rule": "entropy", "threshold": 1.5},
        {"after": [1, 3]},
        {"rule": "patience", "threshold": 2.0},
    ):
        assert Exits(**options).contradictions("exits") == []


def test_exits_are_the_last_stage() -> None:
    assert out_of_order({"a": Magnitude(), "b": WeightOnly(), "c": Exits()}) == []
    assert "would undo its thresholds. Try: 'compression=[b,c]'" in out_of_order({"c": Exits(), "b": WeightOnly()})[0]
    assert "would undo its thresholds" in out_of_order({"c": Exits(), "a": Magnitude()})[0]


def test_trained_forms_do_not_stand_on_quantized_weights() -> None:
    (found,) = out_of_order({"b": WeightOnly(), "c": Exits(form="alternate")})
    assert found.endswith("whose weights b quantizes. Try: compression.c.form=frozen")
    assert out_of_order({"a": Magnitude(), "c": Exits(form="weighted")}) == []
