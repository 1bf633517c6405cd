"""Keeps claims about divergence open while runs of the sweep failed.

A loss that is not finite ends a run as failed, with no record of `train/diverged`. The finished runs alone would then
say that nothing diverged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from data.counted import counted
from runner.compare.verdict import NOT_TESTABLE, UNDECIDED, ClaimVerdict, combined_verdict

DIVERGED = "train/diverged"


def left_open(claims: Sequence[ClaimVerdict], left_out: Sequence[tuple[str, str]]) -> list[ClaimVerdict]:
    """Return the verdicts, with UNDECIDED for those on divergence where some of the runs left out failed.

    left_out: the name of each run that is not finished, and why.
    """
    failed = sum(why.startswith("failed") for _, why in left_out)
    if not failed:
        return list(claims)
    found = counted(failed, "run failed, perhaps by diverging, and is", "runs failed, perhaps by diverging, and are")
    why = f"{found} not counted"
    return [_left_open(claim, why) for claim in claims]


def _left_open(claim: ClaimVerdict, why: str) -> ClaimVerdict:
    parts = tuple(_left_open(part, why) for part in claim.parts)
    if parts != claim.parts:
        verdict = combined_verdict([part.verdict for part in parts])
        return replace(claim, verdict=verdict, why=f"{claim.why}; {why}", parts=parts)
    if claim.metric != DIVERGED or claim.verdict in (UNDECIDED, NOT_TESTABLE):
        return claim
    return replace(claim, verdict=UNDECIDED, why=f"{claim.why}, but {why}")
