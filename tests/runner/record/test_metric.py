"""Patterns of metric names."""

from __future__ import annotations

from runner.record.metric import Metric


def test_a_place_stands_for_its_values_alone() -> None:
    metric = Metric("length/tokens_{layer}", "tokens", "none", "mean number")
    assert metric.pattern.fullmatch("length/tokens_12")
    assert not metric.pattern.fullmatch("length/tokens_0")
    assert not metric.pattern.fullmatch("length/tokens_")


def test_examples_have_usual_values_in_their_places() -> None:
    metric = Metric("prune/density_{layer}_{matrix}", "share", "none", "weights left")
    assert metric.examples()[0] == "prune/density_1_query"
    assert len(metric.examples()) == 4
