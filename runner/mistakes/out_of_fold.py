"""Answers to the training rows by models that did not see them: linear models over n-grams, one for each of five folds.

A model's answers to its own training rows reveal nothing: it has learned their labels, even wrong ones. None is stored:
the models are fitted in seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from data.calibration import CALIBRATION
from data.groups import STAYS, join_groups
from data.inputs.cleaning import cleaning_of
from data.inputs.hashed_words import HashedWords
from data.load import tokenise_rows
from data.splits import TokenSplit
from models.ngrams.pairs import PairOptions
from runner.config.resolve import LONGEST
from runner.mistakes.run_data import RunData
from runner.training.ngram.by_folds import N, answer_by_folds

FOLDS = 5
MOST_ROWS = 25_000  # looked at by default: about four seconds for reviews of 230 words


@dataclass(frozen=True)
class OutOfFold:
    """The answers to training rows, each by the model of the folds that it is not in.

    Rows of train that are set aside to calibrate on are dealt into folds, too. Rows to calibrate on from elsewhere are
    in no fold, so all models answer them, and the mean is taken.
    """

    source_rows: np.ndarray  # (rows,) rising; of the rows from elsewhere once more, after those of train
    is_elsewhere: np.ndarray  # (rows,) bool: is the row from a file or a split of its own (data.calibration)?
    labels: np.ndarray  # (rows,) class ids
    probabilities: np.ndarray  # (rows, C) float64
    accuracy: float
    left_out: int = 0  # training rows that are not in the sample


def out_of_fold(run_data: RunData, notify: Callable[[str], None], *, every_row: bool = False) -> OutOfFold | str:
    """Return the answers to the training rows of a run, or why there are none, in words.

    every_row: use all training rows instead of a random sample of MOST_ROWS.
    """
    whole = _training_rows(run_data)
    rows = whole if every_row or len(whole.labels) <= MOST_ROWS else whole.sample(MOST_ROWS)
    notify(f"fitting n-gram models on {len(rows.labels):,} training rows, {FOLDS} folds")
    fold = rows.folds()
    if (is_held := fold >= 0).sum() < FOLDS:
        return f"fewer than {FOLDS} training rows can be held out"
    apart = _tokens(run_data, CALIBRATION) if _is_elsewhere(run_data) else None
    classes, tokens = len(run_data.rows.raw.target.names), rows.tokens()
    pairs = PairOptions(N, run_data.settings.symmetric, classes > 2) if tokens.has_pairs else None
    answers = answer_by_folds(tokens, rows.labels, fold, classes, pairs=pairs, other=apart)
    if answers is None:
        return "no word occurs in two training rows"
    parts = [(rows.numbers[is_held], rows.labels[is_held], answers.held_out[is_held])]
    if apart is not None and answers.other is not None:
        parts.append((run_data.source_rows(CALIBRATION), np.asarray(apart.labels.values), answers.other))
    numbers, labels, shares = (np.concatenate(columns) for columns in zip(*parts))
    accuracy = float(np.mean(shares.argmax(axis=1) == labels))
    is_elsewhere = np.arange(len(numbers)) >= is_held.sum()
    return OutOfFold(numbers, is_elsewhere, labels, shares, accuracy, len(whole.labels) - len(rows.labels))


@dataclass(frozen=True)
class _Rows:
    """Training rows, in the order of the source."""

    numbers: np.ndarray  # (rows,) in the source, rising
    labels: np.ndarray  # (rows,) class ids
    groups: np.ndarray  # (rows,) as of folds: rows of equal texts, and those that data.group joins, are one
    places: np.ndarray  # (rows,) in `splits`, one after the other
    splits: Sequence[TokenSplit]

    def sample(self, most: int) -> _Rows:
        """Return a random sample, the same each time."""
        drawn = np.sort(np.random.default_rng(0).permutation(len(self.labels))[:most])
        numbers, labels, groups, places = self.numbers, self.labels, self.groups, self.places
        return _Rows(numbers[drawn], labels[drawn], groups[drawn], places[drawn], self.splits)

    def folds(self) -> np.ndarray:
        """Deal the groups of each class into folds, (rows,); STAYS for rows that are never held out."""
        groups, first, of_row = np.unique(self.groups, return_index=True, return_inverse=True)
        order = np.lexsort((np.random.default_rng(0).permutation(len(groups)), self.labels[first]))
        fold = np.empty(len(groups), np.int64)
        fold[order] = np.arange(len(groups)) % FOLDS
        return np.where(self.groups == STAYS, STAYS, fold[of_row])

    def tokens(self) -> TokenSplit:
        """Return their tokens."""
        return reduce(TokenSplit.followed_by, self.splits).take(self.places)


def _training_rows(run_data: RunData) -> _Rows:
    """Return all training rows, including those that were cut off to select or to calibrate, each once."""
    splits = [run_data.rows.raw.splits[name] for name in run_data.of_train]
    numbers, first = np.unique(np.concatenate([split.source_rows for split in splits]), return_index=True)
    labels = np.concatenate([np.asarray(split.labels.values) for split in splits])[first]
    hashes = np.concatenate([run_data.hashes(name) for name in run_data.of_train])[first]
    groups, own = np.unique(hashes, return_inverse=True)[1], [split.groups for split in splits]
    joined = [group for group in own if group is not None]
    if len(joined) == len(own):
        groups = join_groups(np.concatenate(joined)[first], groups)
    return _Rows(numbers, labels, groups, first, [_tokens(run_data, name) for name in run_data.of_train])


def _is_elsewhere(run_data: RunData) -> bool:
    """Are there rows to calibrate on that are not training rows?"""
    return CALIBRATION in run_data.rows.raw.splits and CALIBRATION not in run_data.of_train


def _tokens(run_data: RunData, split: str) -> TokenSplit:
    """Return the words of a split, from the store if an n-gram run has put them there."""
    words = HashedWords(cleaning=cleaning_of(run_data.settings), language=run_data.rows.language)
    return tokenise_rows(run_data.rows, split, words, LONGEST, run_data.cache)
