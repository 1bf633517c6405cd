"""A plan as lines of at most 80 columns: the data, what is tried in which order, and what is not tried and why."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from data.counted import counted
from runner.best.plan.candidates import shown_bytes
from runner.best.plan.steps import SHARE
from runner.best.types import Budget, Candidate, Facts, Plan
from runner.record.metrics import direction

WIDTH = 80
NAME = 41  # columns of a candidate's name
FORMS = {  # what is said of the engine of a candidate's bundle
    "onnx-int8": "the time is for its graph in 8 bits, because in float32 it is over the cap",
    "torch": "the time is for torch, because there can be no bundle",
}


def show_plan(plan: Plan) -> list[str]:
    """Return the lines of a plan."""
    lines = wrapped(f"plan {plan.key}: {budget_line(plan.budget)}", "  ")
    lines += wrapped(f"data: {facts_line(plan.facts)}", "  ")
    lines += wrapped(f"selection: {selection_line(plan)}", "  ")
    for note in plan.facts.notes:
        lines += wrapped(f"note: {note}", "  ")
    lines += ["", f"{'tried':<{NAME}} {'size':>10} {'answer':>10} {'seconds':>9}"]
    ordered = dict.fromkeys(step.candidate for step in plan.steps if step.candidate)
    lines += [line for name in ordered for line in candidate_lines(plan.candidate(name))]
    if plan.left_out:
        lines += ["", "not tried"]
        for one in plan.left_out:
            lines += wrapped(f"  {one.name}: {one.reason}", "      ")
    return [*lines, "", *wrapped(steps_line(plan), "  ")]


def wrapped(text: str, indent: str) -> list[str]:
    """Return a text as lines; the second and further ones are indented."""
    return textwrap.wrap(text, WIDTH, subsequent_indent=indent, drop_whitespace=True) or [""]


def budget_line(budget: Budget) -> str:
    """Return the budget in words."""
    aim = f"{budget.goal or 'the first score'}"
    if budget.at_least is not None:
        is_lower = budget.goal is not None and direction(f"val/{budget.goal}") == "lower"
        cheapest = "fastest" if budget.max_us is not None and budget.max_kb is None else "smallest"
        aim = f"the {cheapest} model with {aim} of {budget.at_least:g} or {'less' if is_lower else 'more'}"
    caps = [shown_bytes(budget.max_bytes)] if budget.max_bytes is not None else []
    caps += [f"{budget.max_us:,g} us per answer"] if budget.max_us is not None else []
    ends = f"{budget.steps} step{'s' * (budget.steps != 1)}" if budget.steps is not None else ""
    ends = ends or (
        "all steps" if budget.minutes is None else f"{budget.minutes:g} minute{'s' * (budget.minutes != 1)}"
    )
    return f"{aim}, at most {' and '.join(caps)}; {ends}" if caps else f"{aim}, no cap; {ends}"


def facts_line(facts: Facts) -> str:
    """Return the facts in words."""
    parts = [f"{facts.rows:,} labelled rows of {'two texts' if facts.is_pair else 'one text'}"]
    if facts.classes is None:
        parts.append("numbers")
    else:
        least = f" of {facts.smallest_class:,} rows or more" if facts.smallest_class else ""
        parts.append(f"{facts.classes} classes{least}")
        parts.append(f"the most frequent label has {facts.majority:.1%}")
    parts.append(f"{facts.words_median:,.0f} words per text (95 %: {facts.words_p95:,.0f})")
    parts.append(f"{facts.new_words:.1%} of the words of selection texts are new")
    if facts.repeated:
        parts.append(counted(facts.repeated, "text is a repeat", "texts are repeats"))
    if facts.unlabelled_rows:
        parts.append(f"{facts.unlabelled_rows:,} unlabelled rows")
    return "; ".join(parts)


def selection_line(plan: Plan) -> str:
    """Return in words which rows choose, and which are reported."""
    facts = plan.facts
    if plan.folds:
        again = f", {plan.repeats} times" if plan.repeats > 1 else ""
        chosen = f"{plan.folds} folds of the {facts.rows:,} labelled rows{again}"
    else:
        chosen = f"{facts.select_rows:,} rows{' held out of the training rows' if facts.is_cut else ''}"
    return f"{chosen}; reported on {facts.report_rows:,} others, once, at the end"


def candidate_lines(one: Candidate) -> Iterator[str]:
    """Yield the line of a candidate, two for a long name."""
    size = "-" if one.bytes is None else shown_bytes(one.bytes)
    answer = "-" if one.micros is None else f"{one.micros:,.0f} us"
    name = one.name if one.fits else f"{one.name} (ceiling)"
    if len(name) > NAME:
        yield name[:WIDTH]
        name = ""
    yield f"{name:<{NAME}} {size:>10} {answer:>10} {one.seconds:>9,.0f}"
    if told := FORMS.get(one.engine or ""):
        yield f"  {told}"


def steps_line(plan: Plan) -> str:
    """Return in words how many steps there are, and how many of them are planned to fit in the time."""
    whole, planned = len(plan.steps), plan.planned
    cut = " Candidates trained in epochs stop after a third of their steps; the better half of each kind goes on."
    cut = cut if any(step.part == "third" for step in plan.steps) else ""
    if plan.budget.steps is not None:
        return f"{whole} steps, of which the first {planned} are done.{cut}"
    if plan.budget.minutes is None or planned == whole:
        return f"{whole} steps.{cut}"
    return f"{whole} steps, {planned} of them in {SHARE:.0%} of the time; the rest follow while there is time.{cut}"
