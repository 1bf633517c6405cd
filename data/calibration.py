"""Rows set aside for calibration: they are not used to train, to validate or to report.

    run model=dsn data=imdb data.calibration=0.1            # a share of the training rows
    run model=dsn data=mnli data.calibration=validation_mismatched
    run model=dsn data=files data.path=reviews.csv data.calibration=later.csv
    run model=dsn data=files data.path=reviews.csv data.folds=5 data.fold=all data.calibration=folds

Without them the validation split is used. Temperatures, thresholds and the guarantee of `reject=` are based on these
rows. With `folds` no row is set aside: all rows train, and calibration uses the out-of-fold predictions, those of each
fold's run on the rows that it was not trained on.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from data.errors import DataError
from data.settings import DataSettings
from data.sources.cells import parse_number
from data.sources.options import format_of

CALIBRATION = "calibration"  # the name of the split
FOLDS = "folds"  # the value with which the runs of the folds calibrate the model trained on all rows
OUT_OF_FOLD = "out_of_fold"  # the name of the split of their predictions: all training rows, in the order of train
OVERLAP = 0.01  # share of these rows that may occur in another split, since some texts repeat in any data set


def rows_behind(split: str) -> str:
    """Return the name of the split whose rows these are: train for OUT_OF_FOLD, otherwise `split` itself."""
    return "train" if split == OUT_OF_FOLD else split


def calibration_share(settings: DataSettings) -> float | None:
    """Return the share of the training rows that is set aside; None if the setting is not a number."""
    return None if settings.calibration is None else parse_number(settings.calibration)


def calibration_file(settings: DataSettings) -> str | None:
    """Return the file with the rows; None if the setting does not name a file."""
    text = settings.calibration
    if text is None or text == FOLDS or calibration_share(settings) is not None:
        return None
    return text if "/" in text or format_of(Path(text)) or Path(text).exists() else None


def calibration_hub_split(settings: DataSettings) -> str | None:
    """Return the split of the hub dataset that has the rows; None if the setting does not name one."""
    if settings.calibration in (None, FOLDS) or calibration_share(settings) is not None or calibration_file(settings):
        return None
    return settings.calibration


def check_apart(settings: DataSettings, repeats: Mapping[str, int], rows: Mapping[str, int]) -> list[str]:
    """Return a note for each split that shares some rows with this one; DataError if the share is above OVERLAP.

    repeats: as from `count_repeats`; rows: the size of each split. Rows are the same if their texts are exactly equal.
    """
    if CALIBRATION not in rows:
        return []
    named, count = f"data.calibration={settings.calibration}", rows[CALIBRATION]
    found = {name: _shared(repeats, name) for name in rows if name != CALIBRATION}
    worst = max(found, key=lambda name: found[name])
    if found[worst] > OVERLAP * count:
        cure = "data.duplicates=drop, which takes them out of train" if worst == "train" else "rows of its own"
        if worst == "train" and calibration_share(settings) is not None:
            cure = "data.duplicates=group, which cuts equal texts together, or data.duplicates=drop"
        raise DataError(
            f"{named}: {found[worst]:,} of its {count:,} rows occur in {worst}, so they say "
            f"too little about new texts. Try: {cure}"
        )
    return [f"{same:,} of the {count:,} rows of {named} occur in {name}" for name, same in found.items() if same]


def _shared(repeats: Mapping[str, int], name: str) -> int:
    """Return how many rows the calibration split and the split `name` share."""
    return max(repeats.get(f"{pair}/exact", 0) for pair in (f"{name}+{CALIBRATION}", f"{CALIBRATION}+{name}"))
