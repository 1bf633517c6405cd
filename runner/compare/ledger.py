"""A sweep's claims as a ledger in Markdown, made from its records: what was published, what was found, what is open.

    run compare <sweep> --claims --format ledger

A line has the arms that a number comes from with their seeds, the verdict, and objections to it: what the sweep's
YAML lists under `objections`, and what the records show, such as fewer than three seeds.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from data.counted import counted
from runner.compare.baselines import baseline_lines
from runner.compare.claim_table import claim_cells
from runner.compare.claims import POINTS
from runner.compare.own_runs import shares_a_teacher
from runner.compare.rows import Comparison, Row
from runner.compare.select import Run
from runner.compare.table import pipe_table
from runner.compare.verdict import ClaimVerdict
from runner.record.baseline import MARK
from runner.record.identity import affects_identity
from runner.sanitize import code_span

if TYPE_CHECKING:
    from runner.record.sweep_record import SweepRecord

FEWEST_SEEDS = 3  # with fewer, an interval over seeds means little
SHOWN = 8  # runs that did not finish
COLUMNS = ("claim", "published", "measured", "arms", "verdict", "objections")


def ledger(comparison: Comparison, sweep: SweepRecord) -> str:
    """Return the ledger of a sweep whose claims are judged."""
    runs = [run for row in comparison.rows for run in row.group.members]
    rows = {row.group.name: row for row in comparison.rows}
    lines = [
        f"# {sweep.title}: {sweep.question or 'no question stated'}", "",
        f"{code_span(_command(sweep))}; {len(runs)} runs, {_dates(runs)}; {_machines(runs)}.{_uncorrected(comparison)}",
        *_baselines(comparison),
        *_unfinished(comparison, sweep),
        "",
        *pipe_table(COLUMNS, [False] * len(COLUMNS), [_cells(claim, rows) for claim in comparison.claims]),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _uncorrected(comparison: Comparison) -> str:
    """Return the note that several claims are judged, each as if it were the only one."""
    judged = sum(any(part.interval for part in claim.parts or (claim,)) for claim in comparison.claims)
    if judged < 2:
        return ""
    return f" Each claim is judged by its own 95 % interval, without a correction for the {judged} claims."


def _baselines(comparison: Comparison) -> list[str]:
    """Return the paragraph with the scores that need no encoder, without which a score says little; [] if unknown."""
    found = [
        f"{line.name} {line.score()} ({line.metric} on {line.data}{f', {size} MB' if (size := line.in_mb()) else ''})"
        for line in baseline_lines(comparison.rows)
    ]
    return ["", f"For comparison: {'; '.join(found)}."] if found else []


def _unfinished(comparison: Comparison, sweep: SweepRecord) -> list[str]:
    """Return the paragraph on runs of the sweep that did not finish, such as those that diverged; [] without any."""
    found = comparison.selection.left_out
    words = {run.identity: " ".join(run.overrides) for run in sweep.runs}
    shown = [f"{code_span(words.get(name) or name)} ({why})" for name, why in found[:SHOWN]]
    if len(found) > SHOWN:
        shown.append(f"{len(found) - SHOWN} more")
    said = counted(len(found), "run did not finish and is", "runs did not finish and are")
    return ["", f"{said} in no number below: {'; '.join(shown)}."] if found else []


def _cells(claim: ClaimVerdict, rows: Mapping[str, Row]) -> list[str]:
    name, published, measured, verdict, why = claim_cells(claim)
    parts = claim.parts or (claim,)
    seeds = _seeds(parts, rows)
    source = f" ({claim.source})" if claim.source else ""
    named = (f"{name} ({'seeds' if len(own) > 1 else 'seed'} {', '.join(own)})" for name, own in seeds.items())
    shown = ["; ".join(found) or "-" for found in (named, objections(claim, rows, seeds))]
    return [name, published + source, measured or "-", shown[0], f"**{verdict}**: {why}", shown[1]]


def _seeds(parts: Sequence[ClaimVerdict], rows: Mapping[str, Row]) -> dict[str, list[str]]:
    """Return the seeds of each arm that a claim's numbers come from.

    Those are the ones with the metric, as some are measured after a run, and not of every run. Of two arms they are the
    ones that both have.
    """
    found: dict[str, set[int]] = {}
    for part in parts:
        own = [{seed for seed, run in rows[arm].group.seeds.items() if part.metric in run.metrics} for arm in part.arms]
        for arm in part.arms:
            found[arm] = set.intersection(*own, found.get(arm, own[0]))
    return {arm: [str(seed) for seed in sorted(seeds)] for arm, seeds in found.items()}


def objections(claim: ClaimVerdict, rows: Mapping[str, Row], seeds: Mapping[str, Sequence[str]]) -> list[str]:
    """Return what a critic could still object: what the claim lists, and what the records of its arms in `rows` show.

    seeds: of each arm, those that the number comes from.
    """
    found, arms = list(claim.objections), [rows[arm] for arm in seeds]
    fewest = min(map(len, seeds.values()), default=FEWEST_SEEDS)
    if fewest < FEWEST_SEEDS:
        found.append("an arm of one seed" if fewest == 1 else f"an arm of {fewest} seeds")
    trained = [part for part in claim.parts or (claim,) if not part.metric.startswith(POINTS)]  # not of size or speed
    limits = sorted({int(limit) for row in arms if (limit := row.group.settings.get("data.max_rows"))})
    if trained and limits:
        found.append(f"at most {' or '.join(f'{limit:,}' for limit in limits)} training rows")
    if any(shares_a_teacher(row.group.runs) and len(seeds[row.group.name]) > 1 for row in arms):
        found.append("one teacher for all seeds, so the interval leaves out what another would change")
    if trained:
        found += [f"{row.group.name} is {MARK}" for row in arms if row.at_baseline]
    for part in claim.parts or (claim,):
        found += [_unreached(rows[arm], part.metric) for arm in part.arms if rows[arm].unreached.get(part.metric)]
    if any(len(_steps(part, rows)) > 1 for part in trained):
        found.append("the arms took different numbers of steps")
    return found


def _unreached(row: Row, metric: str) -> str:
    """Return the objection that some runs of a group never reached the target.

    Their steps are a lower bound, but the interval takes them as they are.
    """
    never, runs = row.unreached[metric], len(row.group.runs)
    return f"{never} of {runs} runs of {row.group.name} never reached the target, and count all their steps"


def _steps(part: ClaimVerdict, rows: Mapping[str, Row]) -> set[float]:
    """Return the numbers of steps of one condition's arms; those of another condition may have more data."""
    runs = (run for arm in part.arms for run in rows[arm].group.runs)
    return {run.metrics["train/steps"] for run in runs if "train/steps" in run.metrics}


def _command(sweep: SweepRecord) -> str:
    """The command that makes these runs again, without what changes no result, such as folders and the tracker."""
    words = [word for word in sweep.overrides if _is_told(word.partition("=")[0].lstrip("+~"))]
    return shlex.join(["run", "-m", *(words or [f"+sweep={sweep.name or sweep.id}"])])


def _is_told(key: str) -> bool:
    """Does the setting with this key belong in the command of a ledger?"""
    of_sweep = key.startswith("sweep.") and key != "sweep.name"  # its size and how many jobs run in parallel
    return affects_identity(key) and not of_sweep


def _dates(runs: list[Run]) -> str:
    """Return the days of the first and the last run."""
    days = sorted(run.record.started[:10] for run in runs)
    return days[0] if days[0] == days[-1] else f"{days[0]} to {days[-1]}"


def _machines(runs: list[Run]) -> str:
    """Return the processors that the runs were made on."""
    return "; ".join(sorted({run.record.environment.processor for run in runs}))
