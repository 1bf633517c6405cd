"""Which rows may be used to choose settings: those that do not overlap between training and selection split.

If rows are cut from the same texts, such as SST-2's phrases, a random split is too easy: it favours weights that
memorise. So settings are chosen on selection rows that are contained in no training row, by models fitted without the
training rows that are contained in one of these. Pairs are compared as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.labels import classes_among
from data.splits import TokenSplit
from models.ngrams.fingerprints import K1, K2

FEWEST = 200  # selection rows without overlap that are needed; with fewer, all selection rows are used
FACTOR = 0x9E3779B97F4A7C15  # odd, so that it has an inverse modulo 2^64
MASK = np.uint32((1 << 22) - 1)
FIRST_PLACES = 16  # positions of a row whose bigrams are looked up first


@dataclass(frozen=True)
class ChoosingRows:
    """The rows used to choose settings."""

    train: np.ndarray  # (rows,) bool
    select: np.ndarray  # (rows,) bool


def choosing_rows(train: TokenSplit, select: TokenSplit) -> ChoosingRows:
    """Return the rows for choosing settings.

    All selection rows are used if too few of them, or not all classes, are left without overlap.
    """
    own = ~contained_rows(select, train)
    if own.sum() < min(FEWEST, len(select) // 2) or _loses_a_class(select, own):
        own = np.ones(len(select), bool)
    return ChoosingRows(~contained_rows(train, select.take(np.flatnonzero(own))), own)


def contained_rows(split: TokenSplit, other: TokenSplit) -> np.ndarray:
    """Return which rows of a split are a contiguous part of a row of another split, (rows,) bool.

    Pairs of texts only count if they are equal.
    """
    if split.has_pairs or other.has_pairs:
        return np.isin(_whole_rows(split), _whole_rows(other))
    own, theirs = np.asarray(split.tokens, np.uint32), np.asarray(other.tokens, np.uint32)
    possible = _possible(split, own, theirs)
    found = np.zeros(len(split), bool)
    single = possible[split.lengths[possible] == 1]
    if len(single):
        found[single] = np.isin(own[split.offsets[single]], theirs)
    rows = possible[split.lengths[possible] > 1]
    if not len(rows):
        return found
    begins = _occurs(_pairs(own)[split.offsets[rows]])
    starts = np.flatnonzero(begins[_pairs(theirs) & MASK])  # the few places where one of these rows may begin
    ends = np.repeat(other.offsets[1:], other.lengths)[starts]
    own_prefixes, prefixes = _prefixes(own), _prefixes(theirs)
    powers = _powers(max(len(own_prefixes), len(prefixes)), inverse=True)
    for length in np.unique(split.lengths[rows]):
        alike = rows[split.lengths[rows] == length]
        windows = _spans(prefixes, starts[starts + length <= ends], length, powers)
        found[alike] = np.isin(_spans(own_prefixes, split.offsets[alike], length, powers), windows)
    return found


def _possible(split: TokenSplit, own: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Return the rows whose words and bigrams all occur in the other split (up to hash collisions), ascending."""
    words, pairs = _occurs(theirs), _occurs(_pairs(theirs))
    rows = np.arange(len(split))
    for place in range(FIRST_PLACES):  # rules out most long rows before all of their words are looked up
        later = split.lengths[rows] > place + 1
        places = split.offsets[rows[later]] + place
        found = np.ones(len(rows), bool)
        found[later] = pairs[(own[places] * K1 + own[places + 1]) * K2 >> np.uint32(10) & MASK]
        rows = rows[found]
    if not len(rows):
        return rows
    part = split.take(rows)
    own = np.asarray(part.tokens, np.uint32)
    missing = ~words[own & MASK]
    is_inside = np.ones(len(own), bool)
    is_inside[part.offsets[1:] - 1] = False
    missing[:-1] |= is_inside[:-1] & ~pairs[_pairs(own) & MASK]
    return rows[np.add.reduceat(missing, part.offsets[:-1]) == 0]


def _pairs(words: np.ndarray) -> np.ndarray:
    """Return a hash of each bigram, (T - 1,) uint32, with well-mixed lower bits."""
    found: np.ndarray = ((words[:-1] * K1 + words[1:]) * K2) >> np.uint32(10)
    return found


def _occurs(hashes: np.ndarray) -> np.ndarray:
    """Return a table of which values occur in the lower bits."""
    table = np.zeros(int(MASK) + 1, bool)
    table[hashes & MASK] = True
    return table


def _prefixes(words: np.ndarray) -> np.ndarray:
    """Return a hash of the words before each position, (T + 1,) uint64: sum of word x factor^position modulo 2^64."""
    return np.concatenate([np.zeros(1, np.uint64), np.cumsum(_mixed(words) * _powers(len(words)), dtype=np.uint64)])


def _spans(prefixes: np.ndarray, starts: np.ndarray, length: int | np.ndarray, powers: np.ndarray) -> np.ndarray:
    """Return a hash of the `length` words from each start, independent of position; powers: of the inverse factor."""
    found: np.ndarray = (prefixes[starts + length] - prefixes[starts]) * powers[starts]
    return found


def _powers(count: int, *, inverse: bool = False) -> np.ndarray:
    """Return powers 0, 1, ... of the factor, or of its inverse, modulo 2^64."""
    factor = pow(FACTOR, -1, 1 << 64) if inverse else FACTOR
    steps = np.full(count, factor, np.uint64)
    steps[:1] = 1
    return np.multiply.accumulate(steps)


def _mixed(words: np.ndarray) -> np.ndarray:
    """Mix word hashes into 64-bit numbers."""
    mixed = (words.astype(np.uint64) + np.uint64(1)) * np.uint64(0xBF58476D1CE4E5B9)
    found: np.ndarray = (mixed ^ (mixed >> np.uint64(31))) * np.uint64(0x94D049BB133111EB)
    return found


def _whole_rows(split: TokenSplit) -> np.ndarray:
    """Return a hash of each row, including the position of its second text."""
    prefixes = _prefixes(np.asarray(split.tokens))
    powers = _powers(len(prefixes), inverse=True)
    whole = _spans(prefixes, np.asarray(split.offsets[:-1]), split.lengths, powers)
    found: np.ndarray = whole + np.asarray(split.segment_starts, np.uint64) * np.uint64(FACTOR)
    return found


def _loses_a_class(split: TokenSplit, rows: np.ndarray) -> bool:
    """Do these rows lack a class that the split has? False for regression."""
    labels = np.asarray(split.known_labels)
    return np.issubdtype(labels.dtype, np.integer) and len(classes_among(labels[rows])) < len(classes_among(labels))
