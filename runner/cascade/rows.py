"""The rows on which a cascade is calibrated and reported, with the stored answers of both models to them.

Calibration rows are selection rows of both runs, so that neither was trained on them, and neither reports them. If the
runs select on different rows, the common ones are found by their texts.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.calibration import OUT_OF_FOLD
from data.duplicates import text_hashes
from data.errors import DataError
from data.load import Rows, read_rows
from data.stores.build_once import SharedCache
from runner.cascade.pair import Pair, Side
from runner.deploy.promise import calibration_rows, calibration_split
from runner.errors import ConfigError
from runner.record.command import command_line
from runner.record.data_settings import data_settings
from runner.record.predictions import calibrated_probabilities, read_logits
from runner.tasks import find_task


@dataclass(frozen=True)
class BothAnswers:
    """The answers of both models to the same rows of a split: probabilities (rows, C), and the labels (rows,)."""

    split: str
    small: np.ndarray
    large: np.ndarray
    labels: np.ndarray
    fingerprint: str  # of the rows

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def confidence(self) -> np.ndarray:
        """Of the small model, (rows,)."""
        return np.asarray(self.small.max(axis=1))

    @property
    def small_right(self) -> np.ndarray:
        """Whether the small model is right, (rows,) bool."""
        return np.asarray(self.small.argmax(axis=1) == self.labels)

    @property
    def large_right(self) -> np.ndarray:
        """Whether the large model is right, (rows,) bool."""
        return np.asarray(self.large.argmax(axis=1) == self.labels)


def read_calibration_rows(pair: Pair, words: str, cache: Path) -> BothAnswers:
    """Return the answers to the selection rows of both runs; raise ConfigError if none may be used.

    words: the options that need them, for messages.
    """
    splits = [calibration_split(side.record, words) for side in pair.sides]
    if OUT_OF_FOLD in splits:
        run = pair.sides[splits.index(OUT_OF_FOLD)].record.identity
        raise ConfigError(
            f"{words}: all rows of run {run} are trained on (data.calibration=folds), so none are left to "
            "compare both models on. Try: data.calibration=0.1 for both, which sets rows aside"
        )
    found = [calibration_rows(side.record, side.folder, split, words) for side, split in zip(pair.sides, splits)]
    prints = [side.record.data.examples(split) for side, split in zip(pair.sides, splits)]
    shares, labels = zip(*found)
    if prints[0] == prints[1]:
        places = [np.arange(len(labels[0]))] * 2
    else:
        places = common_rows(pair, splits, [len(one) for one in labels], words, cache)
    (first, second), (one, two) = places, (truth[place] for truth, place in zip(labels, places))
    if len(one) != len(two) or not np.array_equal(one, two):
        raise ConfigError(
            f"{words}: the labels of {splits[0]} differ between the two runs. Try: two runs on one data set"
        )
    return BothAnswers(splits[1], shares[0][first], shares[1][second], two, prints[1])


def read_reported_rows(pair: Pair, words: str) -> BothAnswers:
    """Return the answers to the reported rows; raise ConfigError if both runs do not report the same ones."""
    return _same_rows(pair, [side.record.data.primary for side in pair.sides], "report", words)


def read_selecting_rows(pair: Pair, words: str) -> BothAnswers:
    """Return the answers to the rows that select epochs.

    Raises ConfigError if both runs do not select by the same ones.
    """
    return _same_rows(pair, [str(side.record.data.selection) for side in pair.sides], "select by", words)


def _same_rows(pair: Pair, metrics: list[str], what: str, words: str) -> BothAnswers:
    """Return the answers to the rows that these metrics, one of each run, are about."""
    splits = [metric.partition("/")[0] for metric in metrics]
    prints = [side.record.data.examples(split) for side, split in zip(pair.sides, splits)]
    if prints[0] != prints[1]:
        ids = " and ".join(side.record.identity for side in pair.sides)
        raise ConfigError(
            f"{words}: {ids} {what} different rows ({splits[0]}, {splits[1]}). Try: two runs with the same data=, "
            "data.max_rows and data.max_eval_rows"
        )
    found = []
    for side, split in zip(pair.sides, splits):
        answers = read_logits(side.folder, split, side.record)
        if answers is None:
            again = command_line(side.record, "force=true")
            raise ConfigError(f"{words}: run {side.record.identity} has no logits of {split}. Make them: {again}")
        found.append(answers)
    small, large = (calibrated_probabilities(side.record, logits) for side, (logits, _) in zip(pair.sides, found))
    return BothAnswers(splits[1], small, large, found[1][1], prints[1])


def read_data(side: Side, split: str, cache: Path, *, also_train: bool = False) -> Rows | str:
    """Return the rows of a run's data, or why those of the split are no longer those of the run, in words.

    also_train: the training rows must be those of the run too.
    """
    settings = data_settings(side.record)
    named = find_task(str(side.record.setting("task.name"))) or find_task(settings.task)
    try:
        rows = read_rows(settings, SharedCache(cache), named.target if named else "auto")
    except (DataError, OSError) as error:
        return f"the data of run {side.record.identity} cannot be read: {str(error).splitlines()[0].split('. ')[0]}"
    for name in (split, "train") if also_train else (split,):
        raw, wanted = rows.raw.splits.get(name), side.record.data.fingerprints.get(name)
        if raw is None or (wanted and raw.fingerprint() != wanted):
            return f"the data of run {side.record.identity} have changed since: the rows of {name} differ"
    return rows


def common_rows(pair: Pair, splits: list[str], counts: list[int], words: str, cache: Path) -> list[np.ndarray]:
    """Return the rows of each split whose text selects in both runs and trains neither; each text once.

    counts: the stored rows of each split.
    """
    shared, trained = SharedCache(cache), []
    hashes = []
    for side, split, count in zip(pair.sides, splits, counts):
        rows = read_data(side, split, cache, also_train=True)
        if isinstance(rows, str) or len(rows.raw.splits[split]) != count:
            why = rows if isinstance(rows, str) else "the stored rows differ"
            raise ConfigError(
                f"{words}: the two runs select on different rows, and their common rows are unknown: {why}. "
                "Try: two runs on the same data"
            )
        hashes.append(_hashes(rows, split, shared))
        trained.append(_hashes(rows, "train", shared))
    common, first, second = np.intersect1d(hashes[0], hashes[1], return_indices=True)
    is_unseen = ~np.isin(common, np.concatenate(trained))
    if not is_unseen.any():
        ids = " and ".join(side.record.identity for side in pair.sides)
        raise ConfigError(
            f"{words}: no selection row of both {ids} was held out from both trainings. "
            "Try: two runs on the same data and folds"
        )
    order = np.argsort(second[is_unseen])
    return [first[is_unseen][order], second[is_unseen][order]]


def _hashes(rows: Rows, split: str, cache: SharedCache) -> np.ndarray:
    raw = rows.raw.splits[split]
    return np.asarray(text_hashes(raw, raw.fingerprint(), cache))
