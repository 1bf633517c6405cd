"""Fronts: what no other point beats in score and cost at once."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from runner.compare.analyse import analyse
from runner.compare.pareto import pareto_front
from runner.compare.select import select_runs
from tests.runner.compare.folders import write_group


def test_a_front_holds_what_is_not_dominated_and_nothing_else() -> None:
    points = [(0.9, 10.0), (0.8, 5.0), (0.85, 20.0), (0.7, 5.0), (0.6, 1.0), (0.9, 10.0)]
    assert pareto_front(points) == [4, 1, 0, 5]
    assert pareto_front([]) == [] and pareto_front([(0.5, 1.0)]) == [0]


def test_a_front_is_what_the_definition_says_on_random_points() -> None:
    rng = np.random.default_rng(0)
    points = [(float(s), float(c)) for s, c in rng.integers(6, size=(60, 2))]

    def dominated(i: int) -> bool:
        s, c = points[i]
        return any(s2 >= s and c2 <= c and (s2 > s or c2 < c) for s2, c2 in points)

    assert sorted(pareto_front(points)) == [i for i in range(60) if not dominated(i)]


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_not_finite_lies_on_no_front_and_hides_no_other(bad: float) -> None:
    for place in range(4):
        points = [(0.6, 1.0), (0.5, 2.0), (0.9, 3.0)]
        points.insert(place, (bad, 2.0))
        assert [points[index] for index in pareto_front(points)] == [(0.6, 1.0), (0.9, 3.0)]
        points[place] = (0.7, bad)
        assert [points[index] for index in pareto_front(points)] == [(0.6, 1.0), (0.9, 3.0)]
    assert pareto_front([(bad, 1.0)]) == []


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_small_model_that_diverged_does_not_push_the_others_off_the_front(loss: float, tmp_path: Path) -> None:
    for model, found, size in (("dsn", loss, 10), ("bert-tiny", 0.4, 99), ("eelbert", 0.9, 300)):
        write_group(tmp_path, f"model={model}", right=[150], metrics={"test/loss": found, "cost/bytes_deployed": size})
    rows = analyse(select_runs(tmp_path, []), metric="test/loss").rows
    assert {row.group.settings["model.name"]: "b" in row.fronts for row in rows} == {
        "dsn": False, "bert-tiny": True, "eelbert": False,
    }  # fmt: skip


def test_rows_carry_the_letters_of_their_fronts_within_their_own_data(tmp_path: Path) -> None:
    small = {"cost/bytes_deployed": 10, "cost/macs": 900, "speed/answer_us_p50": 2.0}
    large = {"cost/bytes_deployed": 99, "cost/macs": 90, "speed/answer_us_p50": 1.0}
    write_group(tmp_path, "model=dsn", right=[150], metrics=small)
    write_group(tmp_path, "model=bert-tiny", right=[180], metrics=large)
    write_group(tmp_path, "model=bert-mini", right=[100], metrics=small, fingerprint="e" * 64)
    fronts = {row.group.settings["model.name"]: row.fronts for row in analyse(select_runs(tmp_path, [])).rows}
    assert fronts == {"dsn": "b", "bert-tiny": "blm", "bert-mini": "blm"}


def test_lower_scores_lead_where_lower_is_better(tmp_path: Path) -> None:
    for model, loss, size in (("dsn", 0.2, 10), ("bert-tiny", 0.4, 99)):
        write_group(tmp_path, f"model={model}", right=[150], metrics={"test/loss": loss, "cost/bytes_deployed": size})
    rows = analyse(select_runs(tmp_path, []), metric="test/loss").rows
    assert [row.mean for row in rows] == [0.2, 0.4] and ["b" in row.fronts for row in rows] == [True, False]


def test_with_an_older_record_all_are_ranked_by_what_they_share(tmp_path: Path) -> None:
    """By their stars, the weights alone and the forward pass alone, older models would win unfairly."""
    small = {"cost/bytes_deployed": 9000, "cost/bytes_file": 10, "speed/latency_ms_p50_b1_s128": 0.1}
    write_group(tmp_path, "model=dsn", right=[150], metrics=small)
    write_group(tmp_path, "model=bert-tiny", right=[150], older=True)
    found = analyse(select_runs(tmp_path, []))
    assert (found.size, found.time) == ("cost/bytes_file", "speed/latency_ms_p50_b1_s128")
    assert {row.group.settings["model.name"]: row.fronts for row in found.rows} == {"dsn": "blm", "bert-tiny": "m"}
