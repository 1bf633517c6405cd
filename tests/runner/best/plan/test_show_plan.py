from __future__ import annotations

from dataclasses import replace

from runner.best.plan.show_plan import budget_line, show_plan
from runner.best.plan.steps import order_steps
from runner.best.types import Budget, Candidate, Facts, LeftOut, Plan

LONG = "tiny a name that is longer than the column for names is wide lr=0.0001"
CANDIDATES = (
    Candidate("ngram", "ngram", bytes=200_000, micros=31.4, seconds=12),
    Candidate(LONG, "tiny", bytes=980_000, seconds=1234, has_cut=True),
    Candidate("large", "large", bytes=91_000_000, seconds=9000, has_cut=True, fits=False),
)
FACTS = Facts(
    rows=67_349, classes=2, smallest_class=29_780, majority=0.558, words_median=7, words_p95=26, select_rows=5000,
    report_rows=872, is_cut=True, new_words=0.01, repeated=12, notes=("a note that is long enough to wrap " * 3,),
)  # fmt: skip


def test_a_plan_is_shown_in_80_columns() -> None:
    steps = order_steps(CANDIDATES, 0, 1)
    left_out = (LeftOut("shortened", "shortened", "needs a cap of 4,000 KB, has 1,000"),)
    lines = show_plan(Plan("0123456789", Budget(max_kb=1000, minutes=10), FACTS, CANDIDATES, left_out, steps, 3))
    text = "\n".join(lines)
    assert max(map(len, lines)) <= 80
    assert lines[0] == "plan 0123456789: the first score, at most 1,000 KB; 10 minutes"
    assert "67,349 labelled rows" in text and "5,000 rows held out of the training rows" in text
    assert "shortened: needs a cap of 4,000 KB, has 1,000" in text and "large (ceiling)" in text
    assert "5 steps, 3 of them in 70% of the time" in text and LONG in text
    assert f"{'ngram':<41} {'200 KB':>10} {'31 us':>10} {'12':>9}" in lines


def test_a_time_of_another_form_than_the_float32_graph_is_said() -> None:
    engines = {"ngram": "numpy", LONG: "onnx-int8", "large": "torch"}
    candidates = tuple(replace(one, micros=900.0, engine=engines[one.name]) for one in CANDIDATES)
    lines = show_plan(Plan("0123456789", Budget(max_us=1000), FACTS, candidates, (), order_steps(candidates, 0, 1)))
    assert sum("the time is for" in line for line in lines) == 2 and max(map(len, lines)) <= 80
    places = {name: next(n for n, line in enumerate(lines) if line.startswith(name)) for name in ("ngram", "large")}
    assert "torch, because there can be no bundle" in lines[places["large"] + 1]
    assert "the time is" not in lines[places["ngram"] + 1]


def test_folds_are_said() -> None:
    steps = order_steps(CANDIDATES[:1], 5, 3)
    text = " ".join(show_plan(Plan("0123456789", Budget(steps=7), FACTS, CANDIDATES[:1], (), steps, 7, 5, 3)))
    assert "5 folds of the 67,349 labelled rows, 3 times" in text and "16 steps, of which the first 7 are done." in text


def test_a_budget_in_words() -> None:
    assert budget_line(Budget(goal="f1_macro", max_us=900)) == "f1_macro, at most 900 us per answer; all steps"
    assert budget_line(Budget(goal="accuracy", at_least=0.9, steps=4)) == (
        "the smallest model with accuracy of 0.9 or more, no cap; 4 steps"
    )
    assert budget_line(Budget(goal="accuracy", at_least=0.9, max_us=50, steps=4)).startswith("the fastest model with")
    least = Budget(goal="mse", at_least=4, steps=1)
    assert budget_line(least) == "the smallest model with mse of 4 or less, no cap; 1 step"
