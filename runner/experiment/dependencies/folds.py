"""Calibrates a model trained on all rows by the answers of the runs of the folds to the rows that they held out.

    run model=dsn data=files data.path=reviews.csv data.folds=5 data.fold=all data.calibration=folds

A model's answers to its own training rows do not show how often it is right. A run on the other folds answers
rows that it has not seen, and all folds together answer every row once. These runs are trained as the model of all rows
is, to the last epoch: no epoch is chosen by the rows that they hold out. scikit-learn's CalibratedClassifierCV with
ensemble=False does the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from data.calibration import FOLDS, OUT_OF_FOLD
from models.settings import FITTED, FITTED_HEAD
from runner.errors import ConfigError
from runner.experiment.dependencies.inner_run import MakeRun, finish_run, inner_overrides
from runner.experiment.prepared import HeldOut, PreparedRun
from runner.record.pooling import held_out_logits
from runner.schema import Settings

DROPPED = ("data.fold", "data.calibration", "train.keep_best", "baseline.ngram", "force", "resume")


def answer_by_folds(
    prepared: PreparedRun, overrides: list[str], notify: Callable[[str], None], make_run: MakeRun
) -> None:
    """With data.calibration=folds, let the runs of the folds calibrate: found if finished, made first if not.

    Raises InnerRunUnfinished, and ConfigError for answers that do not belong together.
    """
    settings, splits = prepared.settings, prepared.splits
    if settings.data.calibration != FOLDS:
        return
    notify(f"{splits.folds} fold runs first: their answers to their held-out rows calibrate this run")
    records = [
        finish_run(make_run, fold_settings(settings, fold), fold_overrides(settings, overrides, fold))
        for fold in range(splits.folds)
    ]
    if any(record.data.labels != list(splits.task.label_names) for record in records):
        raise ConfigError(f"data.calibration={FOLDS}: the fold runs have different classes. Try: force=true")
    numbers, logits, labels = held_out_logits([prepared.folder.parent / record.identity for record in records])
    train, own = splits.train, splits.train.source_rows
    assert own is not None, "rows that are dealt into folds have numbers"
    at = np.searchsorted(numbers, own)
    is_held = numbers[np.minimum(at, len(numbers) - 1)] == own  # not those that data.group keeps in train
    if not is_held.all():
        train = replace(train.take(np.flatnonzero(is_held)), source_rows=own[is_held])
    place = at[is_held]
    if len(place) != len(numbers) or not np.array_equal(labels[place], np.asarray(train.labels.values)):
        raise ConfigError(f"data.calibration={FOLDS}: the fold runs held out different rows. Try: force=true")
    apart = replace(train, name=OUT_OF_FOLD, augment=None, units=None)
    prints = splits.fingerprints | {OUT_OF_FOLD: f"{OUT_OF_FOLD} {splits.fingerprints['train']}"}
    prepared.splits = replace(splits, apart=apart, fingerprints=prints)
    prepared.held_out = HeldOut(logits[place].astype(np.float32), tuple(record.identity for record in records))


def fold_settings(settings: Settings, fold: int) -> Settings:
    """Return the settings of the run that holds out one fold, trained as the run of all rows is."""
    data = replace(settings.data, fold=str(fold), calibration=None)
    baseline = replace(settings.baseline, ngram="off")
    train = replace(settings.train, keep_best=has_no_epochs(settings) or settings.train.keep_best)
    return replace(settings, data=data, baseline=baseline, train=train, force=False, resume="auto")


def fold_overrides(settings: Settings, overrides: list[str], fold: int) -> list[str]:
    """Return the overrides that make that run, for its record."""
    shared = inner_overrides(overrides, dropped=DROPPED)
    keep = [] if has_no_epochs(settings) else ["train.keep_best=false"]
    return [*shared, f"data.fold={fold}", *keep, "baseline.ngram=off"]


def has_no_epochs(settings: Settings) -> bool:
    """Is the model fitted in one go, so that no epoch is chosen? Its runs are then the same as those of a sweep over
    the folds.
    """
    return settings.model.family in FITTED or settings.model.head == FITTED_HEAD
