"""A promise in words: what holds, for how many texts, and what voids it."""

from __future__ import annotations

from data.calibration import OUT_OF_FOLD, rows_behind
from data.json_types import JsonObject
from runner.deploy.bundle.rejection import CLASSES
from runner.record.record import RunRecord
from runner.statistics.intervals import wilson_interval
from runner.statistics.rejection import clopper_pearson

REPEATS = 0.01  # share of the calibration rows above which repeats are named


def sentences(promise: JsonObject) -> list[str]:
    """Return a promise, as calibration.json has it, as sentences without a full stop."""
    rows, alpha, delta = int(promise["rows"]), float(promise["alpha"]), float(promise["delta"])
    fails = f"this promise fails for at most 1 in {round(1 / delta)} calibration samples"
    by_folds = promise.get("split") == OUT_OF_FOLD
    like = f"the {rows:,} training rows as the models of the folds answered them" if by_folds else ""
    like = like or f"the {rows:,} calibration rows"
    if CLASSES not in promise:
        held = f"at most {percent(alpha)} wrong among answered texts like {like}; {fails}"
        share = promise["answered"] / rows
        if share == 1:
            return [held, "every text is answered, because enough of all calibration rows are right"]
        return [held, "about " + share_text(share, *wilson_interval(share, rows), "of texts are answered")]
    names = " or ".join(map(repr, promise[CLASSES]))
    found = [f"at least {percent(1 - alpha)} right among texts answered {names}, if they are like {like}; {fails}"]
    for name, part in promise[CLASSES].items():
        share, right = part["answered"] / rows, part["answered"] - part["errors"]
        said = "about " + share_text(share, *wilson_interval(share, rows), f"of texts are answered {name!r}")
        if part["support"]:
            ends = clopper_pearson(right, part["support"], 0.975)
            said += ", which finds " + share_text(right / part["support"], *ends, "of those that are")
        found.append(said)
    return found


def remarks(promise: JsonObject, record: RunRecord) -> list[str]:
    """Return what a promise corrects for, and what makes it weaker than it reads, as far as the record shows."""
    data, split, rows, models = record.data, rows_behind(promise["split"]), promise["rows"], promise["models"]
    found = [f"{models:,} models were compared on these rows, which is allowed for"] if models > 1 else []
    if (repeats := data.duplicates.get(f"{split}/normalised", 0)) > REPEATS * rows:
        found.append(f"{repeats:,} of the {rows:,} calibration rows repeat an earlier one, and add no evidence")
    if group := record.setting("data.group"):
        found.append(f"calibration rows of one group (data.group={group}) count as independent, which is overconfident")
    if promise["split"] == OUT_OF_FOLD:
        found.append(
            "the rows were answered by the models of the folds: for the model of all rows this promise rests on a "
            "simulation, not on a proof, so it is made with half the risk"
        )
    return found


def share_text(share: float, low: float, high: float, what: str) -> str:
    """Return a share of something with its interval."""
    return f"{digits(share)} % {what} ({digits(low)}-{digits(high)} %)"


def digits(share: float) -> str:
    """Return a share in per cent, as a whole number from 1 up."""
    return f"{100 * share:.0f}" if share >= 0.01 else f"{100 * share:.2g}"


def percent(share: float) -> str:
    """Return a share as it was asked for, such as 5 % or 0.5 %."""
    return f"{100 * share:.4g} %"
