"""Published against measured: each branch of the rule in runner/compare/claims.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runner.compare.analyse import analyse
from runner.compare.claims import Verdict, judge
from runner.compare.select import select
from runner.errors import ConfigError
from tests.runner.compare.folders import write_group

DSN, TINY = {"model": "dsn"}, {"model": "bert-tiny"}


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """A dsn at 0.72, 0.73, 0.725 and a bert-tiny at 0.715, 0.705, 0.71, with exact costs."""
    fast = {"cost/params": 497, "speed/latency_ms_p50_b1_s128": 0.1}
    slow = {"cost/params": 4300, "speed/latency_ms_p50_b1_s128": 1.5}
    write_group(tmp_path, "model=dsn", right=[720, 730, 725], count=1000, metrics=fast)
    write_group(tmp_path, "model=bert-tiny", right=[715, 705, 710], count=1000, metrics=slow)
    return tmp_path


def verdict(output: Path, **claim: Any) -> Verdict:
    rows = analyse(select(output, [])).rows
    text = {"claim": "a claim", "source": "a paper", "kind": "value", "metric": "test/accuracy", "where": DSN}
    return judge([text | claim], rows)[0]


@pytest.mark.parametrize(
    ("value", "tolerance", "expected"),
    [
        (0.70, None, "reproduced"),  # the mean is better
        (0.734, None, "reproduced"),  # only the interval, 0.7126-0.7374, reaches it
        (0.80, None, "not reproduced"),
        (0.80, 0.1, "reproduced"),  # the tolerance allows it
    ],
)
def test_a_value_is_reproduced_when_the_measured_interval_reaches_it(
    value: float, tolerance: float | None, expected: str, output: Path
) -> None:
    found = verdict(output, value=value, tolerance=tolerance)
    assert found.verdict == expected, found.why
    assert found.measured == pytest.approx(0.725) and "3 seeds" in found.why


def test_costs_count_downwards_and_need_no_interval(output: Path) -> None:
    assert verdict(output, metric="cost/params", value=500).verdict == "reproduced"
    assert verdict(output, metric="cost/params", value=400).verdict == "not reproduced"


def test_two_scattering_seeds_cannot_reproduce_anything_by_their_width(tmp_path: Path) -> None:
    write_group(tmp_path, "model=dsn", right=[700, 760], count=1000)
    found = verdict(tmp_path, value=0.9)
    assert found.verdict == "not testable here" and "more seeds" in found.why


def test_a_difference_is_measured_on_pairs_of_seeds(output: Path) -> None:
    claim = {"kind": "difference", "versus": TINY}
    found = verdict(output, value=0.002, **claim)
    assert found.measured == pytest.approx(0.015) and found.interval is not None
    assert found.verdict == "not testable here" and "also covers no difference" in found.why
    assert verdict(output, value=0.30, **claim).verdict == "not reproduced"
    assert verdict(output, value=-0.01, **claim).verdict == "reproduced", "a loss of 1 point was claimed, there is none"


def test_a_clear_advantage_is_reproduced(tmp_path: Path) -> None:
    write_group(tmp_path, "model=dsn", right=[905, 904, 906], count=1000)
    write_group(tmp_path, "model=bert-tiny", right=[705, 703, 706], count=1000)
    assert verdict(tmp_path, kind="difference", versus=TINY, value=0.19).verdict == "reproduced"
    assert verdict(tmp_path, kind="difference", where=TINY, versus=DSN, value=0.1).verdict == "not reproduced"


def test_a_ratio_is_where_over_versus(output: Path) -> None:
    claim = {"metric": "speed/latency_ms_p50_b1_s128", "kind": "ratio", "versus": TINY}
    found = verdict(output, value=1 / 14, **claim)
    assert found.measured == pytest.approx(0.1 / 1.5) and found.verdict == "reproduced"
    assert verdict(output, value=1 / 20, **claim).verdict == "not reproduced"
    assert verdict(output, value=1 / 15, metric="test/loss", kind="ratio", versus=TINY).verdict == "not testable here"


def test_a_ratio_of_costs_above_one_claims_at_least_that_factor(output: Path) -> None:
    claim = {"metric": "speed/latency_ms_p50_b1_s128", "kind": "ratio", "where": TINY, "versus": DSN}
    assert verdict(output, value=14, **claim).verdict == "reproduced"
    assert verdict(output, value=18, **claim).verdict == "not reproduced"
    assert verdict(output, value=18, tolerance=3.0, **claim).verdict == "reproduced"


@pytest.mark.parametrize(
    ("claim", "why"),
    [
        ({"why": "needs a GPU"}, "needs a GPU"),
        ({"where": {"model": "bert-base"}}, "no finished run here has model=bert-base"),
        ({"where": {"model.dendrites": 3}}, "knows all of model.dendrites=3"),
        ({"metric": "test/f1"}, "test/f1 was not measured for model=dsn"),
        ({"where": {"data": "demo"}}, "2 groups have data=demo"),
        ({"kind": "difference"}, "needs `versus`"),
    ],
)
def test_what_cannot_be_tested_says_why(claim: dict[str, Any], why: str, output: Path) -> None:
    found = verdict(output, value=0.5, **claim)
    assert found.verdict == "not testable here" and why in found.why and found.measured is None


def test_a_difference_on_other_examples_is_not_testable(tmp_path: Path) -> None:
    write_group(tmp_path, "model=dsn", right=[150])
    write_group(tmp_path, "model=bert-tiny", right=[100], fingerprint="e" * 64)
    found = verdict(tmp_path, kind="difference", versus=TINY, value=0.1)
    assert found.verdict == "not testable here" and "other examples" in found.why


def test_a_claim_that_is_none_is_the_users_mistake(output: Path) -> None:
    with pytest.raises(ConfigError, match="a claim needs value"):
        verdict(output, value=None)
    with pytest.raises(ConfigError, match="kind: value, difference or ratio"):
        verdict(output, value=1, kind="factor")
