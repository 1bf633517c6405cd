"""Runs a named sweep on other data than its own: its question states that, and claims about its own data are dropped.

    run -m +sweep=best_under_1mb data=files data.path=reviews.csv

The models and settings are borrowed; numbers that were published for film reviews do not apply to these rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from data.counted import counted
from data.json_types import JsonObject
from runner.compare.select import setting_words
from runner.config.plugins import named_sweeps, sweep_overrides
from runner.sweep.settings import SweepSettings

DATA = "data="


def on_other_data(sweep: SweepSettings, typed: Sequence[str]) -> SweepSettings:
    """Return a sweep adapted to the data of a command; unchanged if they are its own.

    typed: the words of the command. The price is that of its own data, so it is dropped too.
    """
    own = _names(sweep_overrides(sweep.name)) if sweep.name in named_sweeps() else []
    wanted = _names(typed)
    if not own or set(wanted) <= set(own):
        return sweep
    claims = [claim for claim in sweep.claims if _data_of(claim, own) <= set(wanted)]
    described = " ".join(word for word in typed if word.lstrip("+").startswith("data"))
    said = f"{sweep.question or ''} Here with {described} in place of {', '.join(own)}.".strip()
    left_out = len(sweep.claims) - len(claims)
    if left_out:
        were = counted(left_out, "claim about those is", "claims about those are")
        said += f" {were} left out."
    return replace(sweep, question=said, claims=claims, price=None)


def _names(words: Iterable[str]) -> list[str]:
    """Return the data sets that overrides name."""
    found = [word.removeprefix(DATA) for word in words if word.startswith(DATA)]
    return found[-1].split(",") if found else []


def _data_of(claim: JsonObject, own: Sequence[str]) -> set[str]:
    """Return the data sets that a claim is about: those that its groups name, else all of the sweep."""
    found = set()
    for part in claim.get("all") or [claim]:
        for group in (part.get("where"), part.get("versus")):
            words = setting_words(group or {})
            found |= {word.partition("=")[2] for word in words if word.startswith((DATA, "data.name="))}
    return found or set(own)
