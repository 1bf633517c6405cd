"""The note about a pruned model that is no smaller and no faster."""

from __future__ import annotations

from runner.experiment.cost_check import disagreement


def test_a_note_says_where_the_costs_do_not_follow_the_zeros() -> None:
    before = {"cost/bytes_file": 4e6, "speed/latency_ms_p50_b1_s128": 2.0}
    now = before | {"cost/params": 1e6, "cost/params_nonzero": 6e5, "cost/bytes_bitmask": 2.5e6}
    note = disagreement(0.1, now, before)
    assert note == (
        "90% sparse (40% of the whole model), same file size (4.00 MB; with a bit mask 2.50 MB), "
        "same latency (2.00 ms, before 2.00 ms)"
    )
    faster = now | {"cost/bytes_file": 1e6, "speed/latency_ms_p50_b1_s128": 1.0}
    assert disagreement(0.1, faster, before) is None and disagreement(1.0, now, before) is None
    assert "same file size" in str(disagreement(0.1, now, {})), "without a record of before, as if it were dense"
