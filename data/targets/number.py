"""Targets of a regression: what float32 can hold of them, and whether a fresh head can start from their scale.

A head begins with answers around 0, and an optimizer's step is as large for targets of 250,000 as for targets of 2.
Where that cannot work, training computes in standard deviations around the mean of the training targets.
"""

from __future__ import annotations

import numpy as np

from data.errors import DataError
from data.settings import DataSettings
from data.sources.raw import RawData
from data.splits import TargetScale

MOST, LEAST = 1e35, 1e-30  # largest target and smallest standard deviation: float32 ends at 3e38 and 1e-38
ROUNDING = 1e-3  # of a standard deviation: what rounding to float32 may cost, next to nothing in any score
# Mean and standard deviations beyond which targets are standardised; those of STS-B are 2.7 and 1.5.
FAR, WIDE, NARROW = 10.0, 10.0, 0.1


def narrow_targets(data: RawData, where: str) -> None:
    """Make the targets of a regression float32; DataError, with a cure, where that loses or overflows them."""
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
    """DataError for training targets (rows,) float64 that are closer together than float32 can tell apart."""
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
    """Mean and standard deviation of training targets (rows,); DataError where all are equal."""
    numbers = labels.astype(np.float64)
    if numbers.min() == numbers.max():
        raise DataError(
            f"{where}: all {len(labels)} training targets are {numbers[0]:g}, there is nothing to learn. "
            "Try: another column with data.label=..., or more rows"
        )
    return TargetScale(float(numbers.mean()), float(numbers.std()))


def target_scale(settings: DataSettings, kind: str, labels: np.ndarray, where: str) -> TargetScale | None:
    """By what the training targets (rows,) are standardised, None where training takes them as they are.

    auto: where |mean| or the standard deviation is above 10, or the standard deviation below 0.1.
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
