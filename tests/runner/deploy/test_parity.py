"""The rows that an export is compared on are spread over the lengths, and stay whole."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from torch import nn

from data.inputs.tokenizer import train_tokenizer
from data.labels import Labels
from data.targets.relevance import query_offsets
from data.units import Units
from models.heads.exits import Exits
from runner.deploy.parity import BATCHES, TOLERANCE, compare_logits, evenly_by_length, scored_rows, tolerated_difference
from runner.deploy.predictor import Predictor
from runner.tasks.base import LabelFacts
from runner.tasks.rank import Rank
from tests.data.helpers import split_of
from tests.data.questions import Asked, split_of_questions


def test_rows_are_spread_from_the_shortest_to_the_longest() -> None:
    lengths = np.array([5, 1, 9, 3, 7])
    assert lengths[evenly_by_length(lengths, 3)].tolist() == [1, 5, 9]
    assert sorted(evenly_by_length(lengths, 64).tolist()) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("batch", BATCHES)
def test_a_logit_that_is_no_number_is_seen_in_either_batch(batch: int) -> None:
    tokenizer = train_tokenizer(["who ? it is me"] * 3, 60)
    split = split_of_questions(tokenizer, [Asked("who ?", "it is me", ["me"])])

    def of(value: float) -> Predictor:
        return cast(Predictor, SimpleNamespace(logits=lambda rows, size: np.array([[value if size == batch else 0.0]])))

    assert math.isnan(compare_logits(of(0.0), of(math.nan), split, "demo, test", None).difference)
    assert compare_logits(of(0.0), of(-0.25), split, "demo, test", None).difference == 0.25


def test_the_tolerance_is_in_the_unit_of_the_targets() -> None:
    assert tolerated_difference(None) == TOLERANCE
    assert tolerated_difference({"mean": 0.0, "sd": 10.0}) == pytest.approx(10 * TOLERANCE)


def test_exits_with_large_weights_magnify_rounding() -> None:
    exits = Exits((1,), 4, 2, rule="confidence", reads="first")
    assert tolerated_difference(None, exits) == TOLERANCE
    nn.init.constant_(exits.get_parameter("classifiers.0.weight"), 1000.0)
    assert tolerated_difference(None, exits) == pytest.approx(4000 * 1e-6)
    assert tolerated_difference({"mean": 0.0, "sd": 10.0}, exits) == pytest.approx(4e-2)


def test_the_windows_of_a_question_are_scored_together() -> None:
    rows = [Asked("who ?", "it is me and " * count, ["me"]) for count in (30, 1, 10)]
    split = split_of_questions(train_tokenizer(["who ? it is me and"] * 3, 60), rows, max_length=24)
    found = scored_rows(split)
    assert split.parts is not None and found.parts is not None and found.source_count == 3 < len(found) == len(split)
    assert np.diff(found.parts).tolist() == sorted(np.diff(split.parts).tolist()), "the shortest question first"
    assert scored_rows(found.take(np.arange(2))).source_count == 2


@pytest.mark.parametrize(("most", "queries"), [(2000, 2), (3, 1)])
def test_a_ranking_is_scored_by_whole_queries_in_their_order(
    most: int, queries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runner.deploy.parity.SCORED", most)
    values = np.array([[1, 1, 0, 0], [0, 1, 0, 0], [0, 1, 0, 1], [1, 1, 0, 1], [0, 1, 0, 1]], np.float32)
    ids = [[2, 1, 1, 1], [5], [7, 1, 1], [6, 1], [9, 1, 1, 1, 1]]  # the first is the score, so lengths mix the queries
    units = Units(query_offsets(values), values[:, 0] > 0, values[:, 0] == 0, None)
    split = replace(split_of(ids, name="test"), labels=Labels(values), units=units)
    model = cast(
        Predictor, SimpleNamespace(logits=lambda rows, size: np.float64(rows.tokens[rows.offsets[:-1]])[:, None])
    )
    found = compare_logits(model, model, split, "demo, test", Rank(LabelFacts(metrics=("mrr",))))
    assert (found.scored, found.units) == (queries, "queries")
    assert found.trained == found.exported == pytest.approx(np.mean([1 / 2, 1 / 3][:queries]))
