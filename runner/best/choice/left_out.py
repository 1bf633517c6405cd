"""The candidates that did not win: trained ones with scores and costs, refused ones with the reason, and the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runner.best.choice.draws import sign_of
from runner.best.plan.candidates import shown_bytes
from runner.best.types import Conclusion, Scored

FAILED = "failed"  # how a step ends whose run has no score for a reason that may pass, such as a full disk


def left_out(conclusion: Conclusion) -> list[str]:
    """Return sentences on all candidates that did not win, those with the same reason together."""
    return [*_trained(conclusion), *_for_reasons(conclusion), *_failed(conclusion)]


def _failed(conclusion: Conclusion) -> Iterator[str]:
    """Yield how to retry failed candidates: their steps are in the journal, so the same command does not retry them."""
    count = sum(status == FAILED for _, status, _ in conclusion.ended)
    if count:
        yield (
            f"{count} failed, which the same command does not try again. Try: remove the cause and the folder "
            f"{conclusion.result.folder}, then the same command, which finds finished runs again"
        )


def _trained(conclusion: Conclusion) -> Iterator[str]:
    """Yield the candidates that were trained and not refused, best first: within the caps, then above one."""
    winner = conclusion.choice.winner if conclusion.choice else None
    refused = {name for name, _, _ in conclusion.ended}
    fitting = [one for one in conclusion.scored if one.name != winner]
    above = [one for one in conclusion.others if one.name not in refused]
    if fitting:
        yield f"trained, but not chosen: {_listed(fitting, conclusion)}"
    if above:
        yield f"over the budget, trained for comparison or as teachers: {_listed(above, conclusion)}"


def _listed(candidates: Sequence[Scored], conclusion: Conclusion) -> str:
    assert conclusion.score is not None, "scored by it"
    sign = sign_of(conclusion.score)
    ranked = sorted(candidates, key=lambda one: -sign * one.score)
    return ", ".join(f"{one.name} {_numbers(one, conclusion)}" for one in ranked)


def _numbers(one: Scored, conclusion: Conclusion) -> str:
    """Return the score and the costs that the budget is about."""
    is_timed = conclusion.plan.budget.max_us is not None and one.micros is not None
    time = f", {one.micros:,.0f} us" if is_timed else ""
    return f"{one.score:.4f} ({shown_bytes(one.bytes)}{time})"


def _for_reasons(conclusion: Conclusion) -> Iterator[str]:
    """Yield each reason with the names of its candidates; those that were trained have their score too."""
    trained = {one.name: one for one in conclusion.others}
    rows = [(one.name, one.reason) for one in conclusion.plan.left_out]
    for name, status, reason in conclusion.ended:
        known = trained.get(name)
        score = "" if known is None else f" {known.score:.4f}"
        rows.append((f"{name}{score}", f"{status}: {reason}" if reason else status))
    by_reason: dict[str, list[str]] = {}
    for name, reason in rows:
        by_reason.setdefault(reason, []).append(name)
    for reason, names in by_reason.items():
        yield f"{', '.join(names)}: {reason}"
