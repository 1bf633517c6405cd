"""Chooses the threshold of a cascade, and states in words what it guarantees."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from data.json_types import JsonObject
from runner.cascade.rows import BothAnswers
from runner.deploy.promise_text import share_text
from runner.errors import ConfigError
from runner.statistics.deferral import (
    Deferral,
    NoDeferral,
    estimate_deferral,
    find_deferral,
    net_loss_interval,
    rows_needed,
)
from runner.statistics.intervals import wilson_interval

if TYPE_CHECKING:
    import numpy as np

EXACT, NONE = GUARANTEES = ("exact", "none")
OFFERED = (0.001, 0.002, 0.003, 0.005, 0.0075, *(percent / 1000 for percent in range(10, 101, 5)))  # accuracy lost


@dataclass(frozen=True)
class Wanted:
    """The largest accepted loss of accuracy against the large model. models: pairs of models compared on the rows."""

    at_most_loss: float
    guarantee: str
    delta: float
    models: int = 1

    @property
    def words(self) -> str:
        """The options that ask for it."""
        return f"at_most_loss={self.at_most_loss:g}" + (f" guarantee={NONE}" if self.guarantee == NONE else "")

    @property
    def level(self) -> float:
        """The chance of failure of the guarantee that each of the compared pairs may have."""
        return self.delta / self.models


@dataclass(frozen=True)
class Chosen:
    """The threshold of a cascade and how it was found, as in cascade.json."""

    wanted: Wanted
    found: Deferral
    rows: BothAnswers

    @property
    def facts(self) -> JsonObject:
        """The content of cascade.json besides the two models."""
        low, high = net_loss_interval(self.found.harms, self.found.helps, self.found.rows, self.wanted.delta)
        calibration: dict[str, Any] = asdict(self.wanted) | asdict(self.found)
        del calibration["threshold"]
        calibration |= {"split": self.rows.split, "rows_sha256": self.rows.fingerprint, "loss": self.found.loss}
        return {"threshold": self.found.threshold, "calibration": calibration | {"loss_low": low, "loss_high": high}}


def choose_threshold(rows: BothAnswers, wanted: Wanted) -> Chosen:
    """Return the lowest threshold that keeps the guarantee; raise ConfigError if none does, with the nearest possible
    one.
    """
    answers = (rows.confidence, rows.small_right, rows.large_right)
    if wanted.guarantee == NONE:
        found: Deferral | NoDeferral = estimate_deferral(*answers, wanted.at_most_loss, delta=wanted.delta)
    else:
        found = find_deferral(*answers, wanted.at_most_loss, delta=wanted.level)
    if isinstance(found, Deferral):
        return Chosen(wanted, found, rows)
    where = f"the {len(rows):,} rows of {rows.split}"
    where += f" ({wanted.models:,} pairs of models were compared on them)" if wanted.models > 1 else ""
    enough = "no number of rows suffices"
    if found.rows_needed is not None:
        enough = f"about {found.rows_needed:,} rows suffice"
    raise ConfigError(
        f"{wanted.words}: cannot be guaranteed on {where}: {found.reason}; {enough}. "
        f"Try: {nearest(answers, wanted)}guarantee={NONE}, an estimate with its interval"
    )


def nearest(answers: tuple[np.ndarray, np.ndarray, np.ndarray], wanted: Wanted) -> str:
    """Return the smallest loss that these rows can certify, as a suggestion; "" if that is none of OFFERED."""
    for loss in OFFERED:
        if loss > wanted.at_most_loss:
            found = find_deferral(*answers, loss, delta=wanted.level)
            if isinstance(found, Deferral):
                share = found.answered / found.rows
                return f"at_most_loss={loss:g}, with which the small model answers {100 * share:.0f} %; or "
    return ""


def sentences(facts: JsonObject) -> list[str]:
    """Return what holds for a cascade, from cascade.json, as sentences without a full stop."""
    found = facts["calibration"]
    rows, split = f"{found['rows']:,}", found["split"]
    lost = f"{points(found['loss'])} ({points(found['loss_low'])} to {points(found['loss_high'])})"
    share = found["answered"] / found["rows"]
    answered = "about " + share_text(
        share, *wilson_interval(share, found["rows"]), "of texts are answered by the small model"
    )
    if found["guarantee"] == NONE:
        return [
            f"no guarantee: on the {rows} calibration rows of {split} the accuracy lost is {lost} points", answered,
        ]  # fmt: skip
    held = (
        f"at most {points(found['at_most_loss'])} points of accuracy are lost against the large model on texts like "
        f"the {rows} calibration rows of {split}; this fails for at most 1 in {math.floor(1 / found['delta'])} such "
        "samples"
    )
    seen = f"on these rows {lost} points are lost"
    return [held, seen, answered]


def what_more_rows_allow(chosen: Chosen) -> str:
    """Return in words how many rows would certify the share that an estimate allows; "" if that share is no larger."""
    wanted, rows = chosen.wanted, chosen.rows
    if wanted.guarantee == NONE:
        return ""
    aim = wanted.at_most_loss / 2  # a loss that rows can distinguish from the allowed one
    more = estimate_deferral(rows.confidence, rows.small_right, rows.large_right, aim)
    if more.answered <= chosen.found.answered:
        return ""
    needed = rows_needed(more.harms / more.rows, more.helps / more.rows, wanted.at_most_loss, wanted.level)
    if needed is None or needed <= len(rows):
        return ""
    share = more.answered / more.rows
    return f"with about {needed:,} calibration rows the small model could answer {100 * share:.0f} % under it"


def points(share: float) -> str:
    """Return a share as percentage points, such as 0.5."""
    return f"{100 * share:.3g}"
