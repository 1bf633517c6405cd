"""Rejects settings with which no n-gram model can be fitted on the given data, before a run folder is created."""

from __future__ import annotations

import math

import numpy as np

from data.splits import Splits
from models.heads.base import HeadSpec
from models.ngrams.fingerprints import bits_for
from models.packed.ngram import (
    CHARACTERS_ENTRY,
    CLEANING_ENTRY,
    LANGUAGE_ENTRY,
    LENGTH_ENTRY,
    LEVELS,
    PAIRS_ENTRY,
    Table,
    pack_ngrams,
    sets_entry,
)
from models.settings import ModelSettings
from runner.errors import ConfigError
from runner.training.ngram.counting import count_grams

CURE = "model.min_df=1, or for texts without spaces between words: model.characters=[1,3]"
FIRST = 5000  # rows that are counted first; usually some word is frequent enough among them


def check_fit(splits: Splits, settings: ModelSettings, head: HeadSpec, spare: int = 0) -> None:
    """Raise ConfigError if no word is frequent enough, or no file can be as small as model.max_kb.

    spare: further bytes of the file that are left free.
    """
    train, names = splits.train, splits.task.label_names
    if not _is_frequent(splits, min(FIRST, len(train)), settings) and not _is_frequent(splits, len(train), settings):
        raise none_frequent(settings.min_df, len(train))
    smallest = len(pack_ngrams(_smallest_table(head.deciding, settings.n), names))
    smallest += entry_bytes(splits, settings, head) + spare
    if settings.max_kb is not None and smallest > settings.max_kb * 1000:
        raise ConfigError(
            f"model.max_kb={settings.max_kb:g}: a file with one n-gram per class takes {smallest:,} bytes. "
            f"Try: model.max_kb={math.ceil(smallest / 1000)}"
        )


def _smallest_table(columns: int, n: int) -> Table:
    """Return a table with one n-gram per column; its fingerprints, scales and biases do not deflate, as in a fit."""
    bits, random = bits_for(columns), np.random.default_rng(0)
    prints = np.sort(random.choice(1 << bits, columns, replace=False))
    scale, bias = random.random((2, columns))
    return Table(prints, LEVELS * np.eye(columns, dtype=np.int8), scale, bias, n, bits)


def entry_bytes(splits: Splits, settings: ModelSettings, head: HeadSpec) -> int:
    """Return the most bytes of a file's header entries that are added once its n-grams are chosen."""
    found = LENGTH_ENTRY + (PAIRS_ENTRY if splits.task.is_pair else 0)
    found += CHARACTERS_ENTRY if settings.characters else 0
    found += CLEANING_ENTRY if splits.tokenizer.cleaning else 0
    found += LANGUAGE_ENTRY if splits.tokenizer.language else 0
    return found + (sets_entry(head.outputs) if head.has_label_sets else 0)


def none_frequent(min_df: int, rows: int) -> ConfigError:
    """Return the error for no word being in `min_df` of the training rows."""
    return ConfigError(f"model.min_df={min_df}: no word is in that many of the {rows:,} training rows. Try: {CURE}")


def _is_frequent(splits: Splits, rows: int, settings: ModelSettings) -> bool:
    """Is a word in enough of the first training rows?"""
    part = splits.train if rows == len(splits.train) else splits.train.take(np.arange(rows))
    return len(count_grams(part, 1, settings.min_df).hashes) > 0
