"""A claim as text: what was published, what was measured, and why the verdict is what it is."""

from __future__ import annotations

import io

from rich.console import Console

from runner.compare.claim_table import CLAIM_TITLES, claim_cells, claims_table
from runner.compare.verdict import ClaimVerdict
from runner.statistics.paired import Interval

SMALLER = ClaimVerdict(
    "[b]smaller", "a paper", "cost/params", "ratio", 0.5, 0.1, 0.4, Interval(0.35, 0.45, "t"), "reproduced", "as good"
)
UNKNOWN = ClaimVerdict("faster", "", "speed/x", "value", 12_345, 0.0, None, None, "not testable here", "not measured")


def test_cells_hold_the_published_and_the_measured_value_with_its_interval() -> None:
    assert dict(zip(CLAIM_TITLES, claim_cells(SMALLER))) == {
        "claim": "[b]smaller",
        "published": "cost/params ratio 0.5 within 0.1",
        "measured": "0.4 (0.35 to 0.45)",
        "verdict": "reproduced",
        "why": "as good",
    }
    assert claim_cells(UNKNOWN)[1:3] == ["speed/x value 12,345", ""]


def test_numbers_have_the_digits_that_their_tolerance_needs() -> None:
    close = Interval(1.000112, 1.00014, "t")
    cost = ClaimVerdict("", "", "cost/params", "ratio", 1.0001, 0.0002, 1.00012, close, "reproduced", "as good")
    assert claim_cells(cost)[1:3] == ["cost/params ratio 1.0001 within 0.0002", "1.0001 (1.0001 to 1.0001)"]
    exact = ClaimVerdict("", "", "cost/params", "ratio", 1.0, 1e-05, 1.0000003, None, "reproduced", "as good")
    assert claim_cells(exact)[1:3] == ["cost/params ratio 1 within 1e-05", "1"]
    score = ClaimVerdict("", "", "val/accuracy", "difference", 0.0, 0.005, 0.0001234567, None, "reproduced", "as good")
    assert claim_cells(score)[1:3] == ["val/accuracy difference 0 within 0.005", "0.0001235"]


def test_a_claim_of_several_conditions_joins_them() -> None:
    both = ClaimVerdict("both", "", "", "all", 0.0, 0.0, None, None, "not testable here", "why", (SMALLER, UNKNOWN))
    assert claim_cells(both)[1:3] == [
        "cost/params ratio 0.5 within 0.1; speed/x value 12,345",
        "cost/params 0.4 (0.35 to 0.45)",
    ]


def test_a_terminal_gets_the_text_and_no_markup() -> None:
    stream = io.StringIO()
    Console(file=stream, width=120).print(claims_table([SMALLER, UNKNOWN]))
    assert "[b]smaller" in stream.getvalue() and "measured 0.4 (0.35 to 0.45), as good" in stream.getvalue()
