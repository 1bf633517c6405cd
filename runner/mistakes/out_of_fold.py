"""Answers to the training rows by models that did not see them: n-gram runs over the folds of the training rows.

They are ordinary runs in <output>/out-of-fold/, where they are no part of lists and comparisons, made once for the
data: `run compare paths.output=outputs/out-of-fold` shows them. A model's answers to its own training rows find
nothing: it has learned their labels, wrong ones too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from data.calibration import is_from_elsewhere
from data.errors import DataError
from data.settings import DataSettings
from models.errors import ModelError
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.errors import ConfigError
from runner.experiment.context import RunContext
from runner.experiment.dependencies.inner_run import inner_overrides
from runner.experiment.dependencies.ngram_baseline import PRESET, SHARED, find_finished, ngram_settings
from runner.experiment.start import start_run
from runner.record.data_settings import data_settings
from runner.record.predictions import read_logits, read_source_rows
from runner.record.record import RunRecord
from runner.schema import Settings
from runner.statistics.probabilities import softmax

FOLDS = 5
FOLDER = "out-of-fold"  # below the folder of runs
NOT_SHARED = ("data.folds", "data.fold", "data.fold_seed", "paths.output", "paths.cache")
INTERRUPTED = 130


@dataclass(frozen=True)
class OutOfFold:
    """The answers to training rows, each by the model of the folds that it is not in.

    A share of them that is set aside to calibrate on is dealt into folds, too. Rows to calibrate on from elsewhere are
    in no fold, so all models answer them: these answers are their mean.
    """

    source_rows: np.ndarray  # (rows,) rising; of the rows from elsewhere once more, after those of train
    is_elsewhere: np.ndarray  # (rows,) bool: is the row from a file or a split of its own (data.calibration)?
    labels: np.ndarray  # (rows,) class ids of `names`
    probabilities: np.ndarray  # (rows, C) float64
    names: tuple[str, ...]
    runs: tuple[str, ...]
    accuracy: float


def out_of_fold(record: RunRecord, output: Path, cache: Path, notify: Callable[[str], None]) -> OutOfFold | str:
    """Return the answers to the training rows of a run, from runs that are made first where they are missing.

    In words why there are none, as for a class of which only one fold can have rows. Raises KeyboardInterrupt.
    """
    found: list[RunRecord] = []
    folder = output / FOLDER
    for fold in range(FOLDS):
        settings, words = fold_settings(record, fold, folder, cache)
        done = find_finished(settings)
        if done is None:
            notify(f"n-gram model, fold {fold + 1} of {FOLDS}: made once for these data")
            try:
                outcome = start_run(settings, words, RunContext(is_quiet=True))
            except (ConfigError, DataError, ModelError, OSError) as error:
                if len(found) > 1:  # a class has rows for so many folds and no more
                    break
                return str(error).splitlines()[0]
            if outcome.exit_code == INTERRUPTED:
                raise KeyboardInterrupt
            done = outcome.record
        if done is None or done.status != "done":
            return f"the run of fold {fold} failed ({done.reason if done else 'no record'})"
        found.append(done)
    return _joined(found, folder)


def fold_settings(record: RunRecord, fold: int, folder: Path, cache: Path) -> tuple[Settings, list[str]]:
    """Return the settings of the n-gram run of one fold of a run's training rows, and its command."""
    cut = () if is_from_elsewhere(data_settings(record)) else ("data.calibration",)
    shared = inner_overrides(record.overrides, kept_groups=SHARED, dropped=(*NOT_SHARED, *cut))
    words = [f"model={PRESET}", *shared, f"data.folds={FOLDS}", f"data.fold={fold}"]
    plain = resolve(compose([f"model={PRESET}", "data=demo", "tracker=none", "measure.enabled=false"]))
    plain.paths.output, plain.paths.cache = str(folder), str(cache)
    plain = replace(plain, data=_of_fold(data_settings(record), fold))
    return ngram_settings(plain, [f"model={PRESET}", "data=demo"]), words


def _of_fold(data: DataSettings, fold: int) -> DataSettings:
    own = data.calibration if is_from_elsewhere(data) else None
    return replace(
        data,
        calibration=own,
        folds=FOLDS,
        fold=str(fold),
        fold_seed=0,
        class_weights="none",
        metrics=list(data.metrics),
    )


def _joined(records: list[RunRecord], folder: Path) -> OutOfFold | str:
    """Lay the answers of all folds together, in the order of the source; those to rows from elsewhere come after."""
    try:
        folds = [_answers(record, folder, str(record.data.selection).partition("/")[0]) for record in records]
        apart = [_answers(record, folder, split) for record in records if (split := record.data.calibration)]
    except FileNotFoundError as missing:
        return str(missing)
    numbers, labels, shares = (np.concatenate(columns) for columns in zip(*folds))
    order = np.argsort(numbers, kind="stable")
    parts = [(numbers[order], labels[order], shares[order])]
    if apart:
        parts.append((apart[0][0], apart[0][1], np.mean([shares for _, _, shares in apart], axis=0)))
    numbers, labels, shares = (np.concatenate(columns) for columns in zip(*parts))
    accuracy = float(np.mean(shares.argmax(axis=1) == labels))
    runs, names = tuple(record.identity for record in records), tuple(records[0].data.labels)
    return OutOfFold(numbers, np.arange(len(numbers)) >= len(order), labels, shares, names, runs, accuracy)


def _answers(record: RunRecord, folder: Path, split: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the source rows (rows,), labels (rows,) and probabilities (rows, C) of a split as a run answered it.

    Raises FileNotFoundError for a run without these answers.
    """
    numbers, found = (
        read_source_rows(folder / record.identity, split),
        read_logits(folder / record.identity, split, record),
    )
    if numbers is None or found is None:
        raise FileNotFoundError(f"the answers of run {record.identity} are missing. Remove {folder / record.identity}")
    return numbers, found[1], softmax(found[0])
