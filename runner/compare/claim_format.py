"""Checks the form of a claim in a sweep's YAML, so that a misspelt or contradictory one is refused before any run.

    for condition in conditions_of(claim): value, tolerance, kind = claim_numbers(condition)

A key that is not read, such as `tolerence`, or `versus` beside `kind: value`, would otherwise give a verdict on
something else than the claim.
"""

from __future__ import annotations

import math

from data.json_types import Json, JsonObject
from runner.config.keys import closest, did_you_mean
from runner.errors import ConfigError
from runner.record.metrics import check

KINDS = ("value", "difference", "ratio", "equal")
SIGNS = {"higher": 1.0, "lower": -1.0}
OF_CLAIM = ("claim", "source", "why", "objections")  # keys of a claim as a whole
OF_CONDITION = ("metric", "kind", "where", "versus", "value", "tolerance", "direction")


def conditions_of(claim: JsonObject) -> list[JsonObject]:
    """Return the conditions under `all`, or the claim itself as the only one, each with the claim's text and source.

    Raises ConfigError for a key that is not known there.
    """
    conditions = claim.get("all")
    if conditions is None:
        _check_keys(claim, (*OF_CLAIM, *OF_CONDITION, "all"), claim)
        return [claim]
    if not isinstance(conditions, list) or not conditions or not all(isinstance(part, dict) for part in conditions):
        raise _mistake("a claim's `all` is a list of conditions", claim)
    _check_keys(claim, (*OF_CLAIM, "all"), claim)
    for part in conditions:
        _check_keys(part, (*OF_CONDITION, "why"), claim)
    shared = {key: claim.get(key) for key in ("claim", "source", "why")}
    return [shared | {key: value for key, value in part.items() if value is not None} for part in conditions]


def claim_objections(claim: JsonObject) -> tuple[str, ...]:
    """Return the texts that a claim lists under `objections`; raise ConfigError for anything but a list of texts."""
    found = claim.get("objections") or []
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise _mistake("a claim's `objections` is a list of texts", claim)
    return tuple(found)


def claim_numbers(claim: JsonObject) -> tuple[float, float, str]:
    """Return value, tolerance and kind of a condition; raise ConfigError if anything of it is missing or wrong."""
    problem = _missing(claim) or _wrong_choice(claim) or _wrong_metric(claim["metric"]) or _wrong_groups(claim)
    value, tolerance = (_number(claim.get(key)) for key in ("value", "tolerance"))
    if problem or value is None or tolerance is None:
        raise _mistake(problem or "the value and the tolerance of a claim are numbers", claim)
    if tolerance < 0:
        raise _mistake("a tolerance is not negative", claim)
    return value, tolerance, str(claim.get("kind") or "value")


def _missing(claim: JsonObject) -> str | None:
    missing = [key for key in ("claim", "metric", "value") if claim.get(key) is None]
    return f"a claim needs {', '.join(missing)}" if missing else None


def _wrong_choice(claim: JsonObject) -> str | None:
    relation, better = claim.get("kind") or "value", claim.get("direction")
    if relation not in KINDS:
        return "a claim needs kind: value, difference, ratio or equal"
    if better is not None and better not in SIGNS:
        return "a claim's direction is higher or lower"
    return None


def _wrong_metric(metric: Json) -> str | None:
    try:
        check(str(metric))
    except KeyError as error:
        return str(error.args[0])
    return None


def _wrong_groups(claim: JsonObject) -> str | None:
    """Return what is wrong with `where` and `versus`, the settings that name a claim's groups."""
    for key in ("where", "versus"):
        if not isinstance(claim.get(key) or {}, str | dict):
            return f"a claim's `{key}` is a mapping of settings, or a text such as model=dsn"
    if (claim.get("kind") or "value") == "value" and claim.get("versus"):
        return "a claim with `versus` compares two groups: it needs kind: difference, ratio or equal"
    return None


def _number(value: Json) -> float | None:
    """Return a finite number, 0 for None; None for anything else."""
    try:
        found = float(value or 0.0)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return found if math.isfinite(found) and not isinstance(value, bool) else None


def _check_keys(part: JsonObject, known: tuple[str, ...], claim: JsonObject) -> None:
    """Raise ConfigError for a key of a claim, or of one of its conditions, that would not be read there."""
    for key in part:
        if key in known:
            continue
        if key in (*OF_CLAIM, *OF_CONDITION):
            place = "belongs to the claim" if key in OF_CLAIM else "belongs to each condition under `all`"
            raise _mistake(f"`{key}` {place}", claim)
        hint = did_you_mean(closest(str(key), list(known)))
        raise _mistake(f"a claim has no `{key}`{hint}", claim)


def _mistake(problem: str, claim: JsonObject) -> ConfigError:
    return ConfigError(f"{problem}: {claim}. Fix the sweep's YAML")
