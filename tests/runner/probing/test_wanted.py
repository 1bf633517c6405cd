"""The choices of a command are a value: equal commands, equal results."""

from __future__ import annotations

from dataclasses import replace

from runner.probing.wanted import LAYER_0, Wanted


def test_equal_wishes_are_equal() -> None:
    one = Wanted(("past_present",), ("mean",), None, "linear", (0,), True, True, True, LAYER_0, 1, "cpu")
    assert one == replace(one) != replace(one, form="mlp")
