"""The size and the time of a run in tables, and what stands there for older records."""

from __future__ import annotations

import pytest

from runner.record.shown_costs import answer_of, in_mb, score_text, size_of

SLOW, FAST = "speed/latency_ms_p50_b1_s128", "speed/latency_ms_p50_b1_s512"


def test_whole_answers_come_first() -> None:
    metrics = {"cost/bytes_packed": 1e6, "cost/bytes_deployed": 2e6, SLOW: 0.1, "speed/answer_us_p50": 650.0}
    size, time = size_of(metrics), answer_of(metrics)
    assert size and time and (size.text(".2f", 1e6), time.text(",.0f")) == ("2.00", "650")


def test_older_records_have_the_weights_and_the_forward_pass_alone() -> None:
    metrics = {"cost/bytes_packed": 1e6, "cost/bytes_file": 1.1e6, SLOW: 0.1, FAST: 0.3}
    size, time, other = size_of(metrics), answer_of(metrics), answer_of(metrics, FAST)
    assert size and time and (size.text(".2f", 1e6), time.text(",.0f")) == ("1.10*", "100*")
    assert other and other.value == 300


def test_what_was_not_measured_is_nothing() -> None:
    assert size_of({"cost/params": 1.0}) is None and answer_of({"speed/threads": 1.0}) is None


def test_a_few_bytes_are_not_shown_as_none() -> None:
    assert [in_mb(count) for count in (0, 1_344, 4_999, 5_000, 66_000)] == ["0.00", "0.0013", "0.0050", "0.01", "0.07"]
    size = size_of({"cost/bytes_file": 1_344.0})
    assert size and size.in_mb() == "0.0013*"


@pytest.mark.parametrize(
    ("score", "text"),
    [
        (0.91239, "0.9124"), (-0.5, "-0.5000"), (99.9, "99.9000"), (123.4567, "123.457"), (1234.56, "1,234.56"),
        (123456.7, "123,457"), (float("nan"), "nan"), (float("inf"), "inf"),
    ],
)  # fmt: skip
def test_a_large_score_takes_no_more_room_than_a_small_one(score: float, text: str) -> None:
    assert score_text(score) == text
