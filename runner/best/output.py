"""The result of a search as lines of at most 80 columns."""

from __future__ import annotations

import textwrap

from runner.best.types import Conclusion

WIDTH = 80


def show_result(conclusion: Conclusion) -> list[str]:
    """Return the lines: the winner with its numbers, what else was compared, and how to use it."""
    result, choice = conclusion.result, conclusion.choice
    lines = [result.stopped] if result.stopped else []
    if choice is None or result.winner is None:
        lines.append("no candidate is finished, so there is no winner")
    else:
        record = conclusion.records[result.winner]
        bytes_, micros = result.metrics.get("cost/bytes_deployed"), result.metrics.get("speed/answer_us_p50")
        lines.append(f"best: {result.winner}, run {result.run}: {'; '.join(choice.reasons)}")
        lines.append(f"  {bytes_ or 0:,.0f} bytes, {micros or 0:,.1f} us an answer")
        lines.append(f"  {record.data.primary} {record.headline or 0:.4f}, on rows that chose nothing")
        lines.append(f"  bundle: {result.bundle or result.problem}")
    for one in (*conclusion.scored, *conclusion.others):
        lines.append(f"  {one.name}: {one.score:.4f} on the rows that select, {one.bytes:,} bytes")
    lines += [f"  {name}: {status}, {reason}" for name, status, reason in conclusion.ended]
    return [part for line in lines for part in textwrap.wrap(line, WIDTH, subsequent_indent="    ") or [""]]
