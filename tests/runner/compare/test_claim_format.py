"""A claim that says something else than its author meant is refused, with the cure."""

from __future__ import annotations

from typing import Any

import pytest

from runner.compare.claim_format import claim_numbers, conditions_of
from runner.errors import ConfigError

CLAIM = {"claim": "a claim", "source": "a paper", "metric": "test/accuracy", "where": {"model": "dsn"}, "value": 0.7}
PART = {"metric": "test/accuracy", "where": {"model": "dsn"}, "value": 0.7}


def read(claim: dict[str, Any]) -> list[tuple[float, float, str]]:
    return [claim_numbers(condition) for condition in conditions_of(claim)]


def test_a_claim_and_conditions_are_read() -> None:
    assert read(CLAIM | {"tolerance": 0.01}) == [(0.7, 0.01, "value")]
    parts = [PART, PART | {"kind": "difference", "versus": "model=bert-tiny", "value": -0.01}]
    assert read({"claim": "both", "all": parts}) == [(0.7, 0.0, "value"), (-0.01, 0.0, "difference")]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tolerence": 0.1}, "no `tolerence`; did you mean tolerance"),
        ({"wher": {"model": "bert-tiny"}}, "no `wher`; did you mean where"),
        ({"versus": {"model": "bert-tiny"}}, "needs kind: difference, ratio or equal"),
        ({"where": ["model=dsn"]}, "`where` is a mapping"),
        ({"kind": "difference", "versus": 3}, "`versus` is a mapping"),
        ({"metric": "test/acuracy"}, "the nearest known name is 'test/accuracy'"),
        ({"value": float("nan")}, "are numbers"),
        ({"value": float("-inf")}, "are numbers"),
        ({"value": True}, "are numbers"),
        ({"tolerance": float("inf")}, "are numbers"),
        ({"tolerance": [0.1]}, "are numbers"),
        ({"all": [PART]}, "`metric` belongs to each condition under `all`"),
    ],
)
def test_what_would_not_be_read_as_meant_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read(CLAIM | change)


def test_objections_of_a_condition_belong_to_the_claim() -> None:
    with pytest.raises(ConfigError, match="`objections` belongs to the claim"):
        read({"claim": "both", "all": [PART | {"objections": ["small"]}]})


def test_a_condition_without_its_own_reason_has_that_of_the_claim() -> None:
    (condition,) = conditions_of({"claim": "both", "all": [PART | {"why": None}], "why": "needs a GPU"})
    assert condition["why"] == "needs a GPU"
