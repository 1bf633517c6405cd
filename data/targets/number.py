"""Targets of a regression: whether float32 can hold them, and whether training must standardise them.

A new head predicts values around 0, and an optimizer's steps are as large for targets of 250,000 as for targets of 2.
Far from 0 or on another scale it would not get there, so training then uses standardised targets: standard deviations
from the mean of the training targets.
"""

from __future__ import annotations

import numpy as np

from data.errors import DataError
from data.settings import DataSettings
from data.sources.raw import RawData
from data.splits import TargetScale
from data.targets.base import Target

MOST, LEAST = 1e35, 1e-30  # largest target and smallest standard deviation: float32 ends at 3e38 and 1e-38
ROUNDING = 1e-3  # of a standard deviation: the largest rounding to float32 that is accepted; no score shows it
# Mean and standard deviations beyond which targets are standardised; those of STS-B are 2.7 and 1.5.
FAR, WIDE, NARROW = 10.0, 10.0, 0.1


class Number(Target):
    """Each row has a number."""

    name = "number"


def narrow_targets(data: RawData, where: str) -> None:
    """Convert the targets of a regression to float32; DataError if that overflows or makes different ones equal."""
    if data.kind != "regression":
        return
    for split in data.splits.values():
        most = float(np.abs(split.labels).max(initial=0.0))
        if most > MOST:
            raise DataError(
                f"{where}: a target is as large as {most:.3g}, and float32 computes with numbers up to {MOST:g}. "
                f"Try: divide the column by {most:.0e}, or take its logarithm"
            )
    _check(data.splits["train"].labels, where)
    for split in data.splits.values():
        split.labels = split.labels.astype(np.float32)


def _check(labels: np.ndarray, where: str) -> None:
    """Raise DataError for training targets (rows,) float64 that are too close together for float32."""
    found = target_statistics(labels, where)
    if found.sd < LEAST:
        raise DataError(
            f"{where}: the targets have a standard deviation of {found.sd:.3g}, too small for float32. "
            f"Try: divide the column by {found.sd:.0e}"
        )
    step = float(np.spacing(np.float32(np.abs(labels).max())))
    if step / 2 > ROUNDING * found.sd:
        raise DataError(
            f"{where}: the targets lie around {found.mean:,.10g} with a standard deviation of {found.sd:,.3g}, and "
            f"float32 has steps of {step:,.3g} there. Try: subtract {found.mean:,.0f} from the column"
        )


def target_statistics(labels: np.ndarray, where: str) -> TargetScale:
    """Return mean and standard deviation of training targets (rows,); DataError if all are equal."""
    numbers = labels.astype(np.float64)
    if numbers.min() == numbers.max():
        raise DataError(
            f"{where}: all {len(labels)} training targets are {numbers[0]:g}, there is nothing to learn. "
            "Try: another column with data.label=..., or more rows"
        )
    return TargetScale(float(numbers.mean()), float(numbers.std()))


def target_scale(settings: DataSettings, kind: str, labels: np.ndarray, where: str) -> TargetScale | None:
    """Return mean and sd for standardising the training targets (rows,); None to leave them as they are.

    With data.standardize=auto they are standardised if |mean| or the standard deviation is above 10, or the standard
    deviation below 0.1.
    """
    if kind != "regression":
        if settings.standardize == "always":
            raise DataError(
                f"data.standardize=always: needs numbers as labels, and this is {kind}. Try: data.standardize=auto"
            )
        return None
    found = target_statistics(labels, where)
    is_odd = abs(found.mean) > FAR or found.sd > WIDE or found.sd < NARROW
    return found if settings.standardize == "always" or (settings.standardize == "auto" and is_odd) else None
