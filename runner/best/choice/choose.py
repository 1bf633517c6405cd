"""Chooses the candidate that wins, by the answers to the selection rows.

The user accepts any cost below the cap: the highest score wins, and only a practical tie goes to the smaller model.
Without a cap, or with prefer=small, the tie is wider. With at_least=T the smallest wins of
those that reach T by the lower end of a one-sided 95 % interval: the point score would return a model that is truly
below T in about half of the searches.

Simulated for this rule: among 20 candidates of 50 to 1,000 kB on 2,000 rows, "the smallest within one standard error of
the best" has twice the regret of the highest score.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from runner.best.choice.draws import Draws
from runner.best.types import Budget, Choice, Scored
from runner.statistics.intervals import Z_95_ONE_SIDED, wilson_interval
from runner.statistics.score_table import is_share
from runner.statistics.scores import Score, as_rows

TIE_WITH_CAP, TIE_FOR_SMALL = 0.002, 0.005  # of a share; of other scores, times the best one
ROUNDING = 1e-12  # 0.88 - 0.86 is not 0.02 in binary

Rule = Callable[[np.ndarray], np.ndarray]  # from scores (R, m) of candidates in order of cost to winners (R,)


@dataclass(frozen=True)
class NoChoice:
    """No candidate meets the request; the message names the nearest one."""

    message: str


def choose(candidates: Sequence[Scored], score: Score, budget: Budget) -> Choice | NoChoice:
    """Return the candidate that wins and why; raise NoChoice if none fits the caps, or none reaches budget.at_least.

    candidates: finished, with answers to the same rows.
    """
    fitting = in_order_of_cost([one for one in candidates if fits(one, budget)], budget)
    if not fitting:
        return NoChoice(_nothing_fits(candidates, budget))
    draws = Draws(fitting, score)
    if budget.at_least is not None:
        return _cheapest_that_reaches(draws, budget, budget.at_least)
    winner, best = int(rule(draws, budget)(draws.scores[None])[0]), int(np.argmax(draws.scores))
    if winner == best:
        most = "highest" if draws.sign > 0 else "lowest"
        return Choice(fitting[best].name, (f"the {most} {score.name} of {_of_what(len(fitting), budget)}",))
    lost, spread = draws.scores[best] - draws.scores[winner], draws.spreads[best, winner]
    reason = (
        f"{'faster' if by_time(budget) else 'smaller'} than {fitting[best].name}, and only {lost:.4f} worse on "
        f"{draws.rows:,} rows, which is within the standard error of that difference ({spread:.4f})"
    )
    return Choice(fitting[winner].name, (reason,), fitting[best].name)


def survivors(scores: Mapping[str, float], direction: str = "higher") -> list[str]:
    """Return the names that continue after a cut within a kind: the better half, rounded up, at least two.

    scores: by name in the order of the plan, which breaks ties. direction: higher | lower, the better one.
    """
    sign = -1.0 if direction == "lower" else 1.0
    ranked = sorted(scores, key=lambda name: math.inf if math.isnan(scores[name]) else -sign * scores[name])
    kept = set(ranked[: max(2, math.ceil(len(ranked) / 2))])
    return [name for name in scores if name in kept]


def fits(one: Scored, budget: Budget) -> bool:
    """Is a candidate inside the caps, as measured? A time that was not measured counts as inside."""
    is_small = budget.max_bytes is None or one.bytes <= budget.max_bytes
    return is_small and (budget.max_us is None or one.micros is None or one.micros <= budget.max_us)


def by_time(budget: Budget) -> bool:
    """Does "smaller" mean faster? Only if the only cap is on time."""
    return budget.max_us is not None and budget.max_kb is None


def cost_of(one: Scored, budget: Budget) -> tuple[float, float]:
    """Return bytes and microseconds, the one that the budget caps first; an unknown time counts as infinite."""
    micros = math.inf if one.micros is None else one.micros
    return (micros, one.bytes) if by_time(budget) else (one.bytes, micros)


def in_order_of_cost(candidates: Sequence[Scored], budget: Budget) -> list[Scored]:
    """Return the candidates, smallest (or fastest) first, then by their place in the plan."""
    return sorted(candidates, key=lambda one: (*cost_of(one, budget), one.position))


def rule(draws: Draws, budget: Budget) -> Rule:
    """Return the choice as a function of the scores, so that it can be repeated on resampled rows.

    The standard errors of differences are those on all rows: they vary by a few per cent between draws.
    """
    if budget.at_least is not None:
        return _reaching(draws, budget.at_least)
    costs = [cost_of(one, budget) for one in draws.candidates]
    is_cheaper = np.array([[mine < other for mine in costs] for other in costs])  # (best, other)
    has_cap = (budget.max_kb is not None or budget.max_us is not None) and budget.prefer != "small"
    limit = (TIE_WITH_CAP if has_cap else TIE_FOR_SMALL) * unit_of(draws.score.name, float(draws.scores.max()))
    allowed = np.where(is_cheaper, np.minimum(draws.spreads, limit) + ROUNDING, -1.0)

    def winners(scores: np.ndarray) -> np.ndarray:
        best = scores.argmax(axis=1)  # of equal scores the first, which costs least
        lost = scores[np.arange(len(scores)), best][:, None] - scores
        is_tie = lost <= allowed[best]
        is_tie[np.arange(len(scores)), best] = True
        return np.asarray(is_tie.argmax(axis=1))

    return winners


def _reaching(draws: Draws, least: float) -> Rule:
    """Return the rule of at_least: the cheapest whose lower end reaches it; the highest lower end where none does."""

    def winners(scores: np.ndarray) -> np.ndarray:
        ends = lower_ends(draws, scores)
        reaches = ends >= draws.sign * least - ROUNDING
        return np.where(reaches.any(axis=1), reaches.argmax(axis=1), ends.argmax(axis=1))

    return winners


def lower_ends(draws: Draws, scores: np.ndarray) -> np.ndarray:
    """Return the lower ends (R, m) of one-sided 95 % intervals: Wilson's for accuracy, else by the bootstrap's sd."""
    if draws.score.name == "accuracy":
        return np.vectorize(lambda share: wilson_interval(share, draws.rows, Z_95_ONE_SIDED)[0])(scores)
    return np.asarray(scores - Z_95_ONE_SIDED * np.std(draws.resampled[0], axis=0, ddof=1))


def _cheapest_that_reaches(draws: Draws, budget: Budget, least: float) -> Choice | NoChoice:
    ends, goal = lower_ends(draws, draws.scores[None])[0], draws.sign * least
    winner = int(_reaching(draws, least)(draws.scores[None])[0])
    name, point, end = draws.candidates[winner].name, draws.sign * draws.scores[winner], draws.sign * ends[winner]
    if ends[winner] >= goal - ROUNDING:
        return Choice(
            name,
            (
                f"the {'fastest' if by_time(budget) else 'smallest'} that reaches {draws.score.name} {least:g} with "
                f"95 % confidence (lower end {end:.4f})",
            ),
        )
    rows = as_rows(draws.score.units)
    would = draws.sign * math.floor(ends[winner] * 1000) / 1000
    given = draws.candidates[int(_reaching(draws, would)(draws.scores[None])[0])].name
    return NoChoice(
        f"at_least={least:g}: nothing reaches {least:g} with confidence on {draws.rows:,} {rows}; best {point:.4f} "
        f"({name}), lower end {end:.4f}. Try: at_least={would:g}, which gives {given}, or more {rows}"
    )


def _nothing_fits(candidates: Sequence[Scored], budget: Budget) -> str:
    given = {"max_kb": budget.max_kb, "max_us": budget.max_us}
    caps = " ".join(f"{name}={cap:g}" for name, cap in given.items() if cap is not None)
    nearest = min(candidates, key=lambda one: cost_of(one, budget), default=None)
    if nearest is None:
        return "no candidate is finished. Try: more minutes"
    time = "" if nearest.micros is None else f", {nearest.micros:,.0f} us per answer"
    return f"{caps}: no finished candidate is within this. The nearest is {nearest.name}: {nearest.bytes:,} bytes{time}"


def _of_what(count: int, budget: Budget) -> str:
    has_cap = budget.max_kb is not None or budget.max_us is not None
    return f"{count} candidate{'s' * (count > 1)}" + (" within the budget" if has_cap else "")


def unit_of(name: str, best: float) -> float:
    """Return the unit of differences of a score: 1 for shares and correlations, else the size of the best one."""
    return 1.0 if is_share(name) else abs(best)
