"""The size and the time that all groups of a comparison are ranked by."""

from __future__ import annotations

from runner.compare.axes import latency_metric, size_metric, time_metric, words_of

B1, B32 = "speed/latency_ms_p50_b1_s128", "speed/latency_ms_p50_b32_s128"


def test_the_latency_is_the_one_that_most_groups_have() -> None:
    assert latency_metric([{B1: 1, B32: 1}, {B32: 1}]) == B32
    assert latency_metric([{B32: 1, "speed/latency_ms_p50_b1_data": 1, B1: 1}]) == B1
    assert latency_metric([{}]) is None


def test_deployed_bytes_and_answers_come_first_where_all_have_them() -> None:
    new = {"cost/bytes_deployed": 9, "cost/bytes_file": 8, "speed/answer_us_p50": 7, B1: 1}
    old = {"cost/bytes_file": 8, B1: 1}
    assert (size_metric([new, new]), time_metric([new, new])) == ("cost/bytes_deployed", "speed/answer_us_p50")
    assert (size_metric([new, old]), time_metric([new, old])) == ("cost/bytes_file", B1)
    assert (size_metric([{}]), time_metric([])) == (None, None)


def test_a_run_that_timed_nothing_does_not_take_the_answers_from_the_others() -> None:
    new, counted = {"cost/bytes_deployed": 9, "speed/answer_us_p50": 7, B1: 1}, {"cost/bytes_deployed": 9}
    assert time_metric([new, counted]) == "speed/answer_us_p50"


def test_axes_have_their_unit() -> None:
    assert words_of("cost/bytes_deployed") == "deployed bytes" and words_of(B1) == f"ms ({B1})" and words_of(None) == ""
