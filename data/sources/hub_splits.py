"""Which splits of a hub dataset a run reads. Standard library only, because checking settings imports this module."""

from __future__ import annotations

from data.calibration import CALIBRATION, calibration_hub_split
from data.settings import DataSettings


def hub_splits(settings: DataSettings) -> dict[str, str]:
    """Return which splits of the hub dataset are read, by their purpose: train, val, test and others."""
    wanted = {"train": settings.split or settings.train_split}
    if settings.fold_column is None and not settings.split:
        wanted |= settings.report_splits | ({"val": settings.select_split} if settings.select_split else {})
    own = calibration_hub_split(settings)
    return wanted | ({CALIBRATION: own} if own else {})
