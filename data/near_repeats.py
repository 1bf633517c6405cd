"""Near-duplicate texts: MinHash finds pairs that share most of their character 5-grams; an exact count decides.

    pairs = near_pairs(plain_texts(texts))         # all pairs of at least 0.7
    pairs = near_pairs(plain, among=np.array([3])) # only those of row 3

Word 5-grams do not work on short texts: if one word of eight is replaced, 2 of 10 word 5-grams are shared, but 29 of 45
character 5-grams. One replaced word can also reverse the meaning, so near repeats are shown and never dropped.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

GRAM = 5  # characters
PERMUTATIONS = 128
BANDS, ROWS = 25, 5  # a pair of similarity s is compared with probability 1 - (1 - s^5)^25: 0.55 at 0.5, 0.99 at 0.7
LEAST = 0.7  # similarity of a near repeat
SLACK = 0.15  # no exact count if the signatures' estimate is this far (3.5 standard deviations) below the threshold
REACH = 4  # neighbours in a bucket that a row is compared with, so that a bucket of m rows costs m steps and not m^2
ENOUGH = 5  # pairs of a text, after which no more are searched for it
STEP = 1 << 18  # 5-grams hashed at a time: 1 MB
SEED = 0

# Odd multipliers with well-mixed bits (golden ratio; the finaliser of MurmurHash3).
GOLDEN, MIX, MIX_AGAIN = np.uint32(0x9E3779B1), np.uint32(0x85EBCA6B), np.uint32(0xC2B2AE35)


@dataclass(frozen=True)
class NearPairs:
    """Pairs of rows, each once, the most similar first."""

    first: np.ndarray  # (pairs,) int64
    second: np.ndarray  # (pairs,) int64, larger than the first
    similarity: np.ndarray  # (pairs,) float64: exact Jaccard similarity of their character 5-grams

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.first)


def plain_texts(texts: Sequence[str]) -> list[str]:
    """Return texts in NFKC without case; runs of anything but letters, their marks and digits become one space."""
    import pyarrow as pa
    import pyarrow.compute as pc

    folded = pa.array([text.lower() if text.isascii() else _fold(text) for text in texts], pa.large_string())
    blanks = pc.replace_substring_regex(folded, r"[^\pL\pN\pM]+", " ")
    found: list[str] = pc.utf8_trim_whitespace(blanks).to_pylist()
    return found


def _fold(text: str) -> str:
    """Return a text in NFKC without case (pyarrow's NFKC does not compose); lone surrogates become question marks."""
    return unicodedata.normalize("NFKC", text.encode("utf-8", "replace").decode()).casefold()


@lru_cache(1 << 14)
def grams_of(text: str) -> frozenset[str]:
    """Return the character 5-grams of a text; a shorter text is its only gram, an empty text has none."""
    return frozenset(text[start : start + GRAM] for start in range(max(1, len(text) - GRAM + 1)) if text)


def jaccard(first: str, second: str) -> float:
    """Return the Jaccard similarity of the 5-grams of two plain texts, 0..1; 0 if neither has any."""
    mine, theirs = grams_of(first), grams_of(second)
    shared = len(mine & theirs)
    return shared / max(1, len(mine) + len(theirs) - shared)


def signatures(texts: Sequence[str]) -> np.ndarray:
    """Return the MinHash signatures (texts, 128) uint32 of plain texts; that of an empty text is all maximum values.

    The share of places where two signatures agree estimates the Jaccard similarity of their 5-grams.
    """
    lengths = np.array([len(text) for text in texts], np.int64)
    counts = np.where(lengths > 0, np.maximum(lengths - GRAM + 1, 1), 0)
    found = np.full((len(texts), PERMUTATIONS), np.iinfo(np.uint32).max, np.uint32)
    rows = np.flatnonzero(counts)
    starts, ends = np.cumsum(lengths) - lengths, np.cumsum(counts[rows])
    at = 0
    while at < len(rows):
        before = int(ends[at - 1]) if at else 0
        stop = max(at + 1, int(np.searchsorted(ends, before + STEP, side="right")))
        first, last = rows[at], rows[stop - 1]
        part = "".join(texts[first : last + 1])
        found[rows[at:stop]] = _least(_hashes(part), starts[rows[at:stop]] - starts[first], counts[rows[at:stop]])
        at = stop
    return found


def _hashes(text: str) -> np.ndarray:
    """Hash the GRAM characters that start at each position, (characters,) uint32; those past the end count as 0."""
    points = np.frombuffer((text + "\0" * (GRAM - 1)).encode("utf-32-le", "surrogatepass"), np.uint32)
    size = len(points) - GRAM + 1
    found = points[:size].copy()
    for shift in range(1, GRAM):
        found *= GOLDEN
        found ^= found >> np.uint32(15)
        found += points[shift : shift + size]
    for factor, shift in ((MIX, 16), (MIX_AGAIN, 13)):
        found ^= found >> np.uint32(shift)
        found *= factor
    return found ^ (found >> np.uint32(16))


def _least(hashes: np.ndarray, starts: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the smallest hash of each row under each permutation, (rows, 128) uint32.

    starts, counts: (rows,) the position of each row's first 5-gram in the hashes, and its number of 5-grams, 1 or more.
    """
    offsets = np.cumsum(counts) - counts
    grams = hashes[np.repeat(starts - offsets, counts) + np.arange(int(counts.sum()))]
    generator = np.random.default_rng(SEED)
    masks = generator.integers(1 << 32, size=PERMUTATIONS, dtype=np.uint64).astype(np.uint32)
    factors = generator.integers(1 << 32, size=PERMUTATIONS, dtype=np.uint64).astype(np.uint32) | np.uint32(1)
    found, changed = np.empty((len(counts), PERMUTATIONS), np.uint32), np.empty_like(grams)
    for index in range(PERMUTATIONS):
        np.bitwise_xor(grams, masks[index], out=changed)
        np.multiply(changed, factors[index], out=changed)
        found[:, index] = np.minimum.reduceat(changed, offsets)
    return found


def near_pairs(texts: Sequence[str], among: np.ndarray | None = None, least: float = LEAST) -> NearPairs:
    """Return the pairs of plain texts whose similarity is at least `least`; equal texts have similarity 1.

    among: row numbers, one of which must be in each pair; None: all. If very many texts are similar, a row is compared
    only with those nearest in row order, and a pair is skipped once its wanted rows have ENOUGH pairs: each such row
    gets some of its pairs, but not all.
    """
    marks = signatures(texts)
    is_wanted = np.zeros(len(texts), bool)
    is_wanted[slice(None) if among is None else among] = True
    has_grams = np.flatnonzero([bool(text) for text in texts])
    codes = [np.zeros(0, np.int64)]
    for band in range(BANDS):
        keys = _band_keys(marks[:, band * ROWS : (band + 1) * ROWS])[has_grams]
        order = has_grams[np.argsort(keys, kind="stable")]
        codes.append(_candidates(marks, order, np.sort(keys), is_wanted, least))
    code = np.unique(np.concatenate(codes))
    first, second = code // max(1, len(texts)), code % max(1, len(texts))
    exact = _similarities(texts, first.tolist(), second.tolist(), is_wanted.tolist(), least)
    kept = np.flatnonzero(exact >= least)
    kept = kept[np.argsort(-exact[kept], kind="stable")]
    return NearPairs(first[kept], second[kept], exact[kept])


def _similarities(
    texts: Sequence[str], first: list[int], second: list[int], is_wanted: list[bool], least: float
) -> np.ndarray:
    """Return the similarity of each pair, (pairs,) float64; 0 if its wanted texts already have ENOUGH pairs."""
    found, near = np.zeros(len(first)), [0 if wanted else ENOUGH for wanted in is_wanted]
    for number, (one, other) in enumerate(zip(first, second)):
        if near[one] >= ENOUGH and near[other] >= ENOUGH:
            continue
        found[number] = jaccard(texts[one], texts[other])
        if found[number] >= least:
            near[one] += 1
            near[other] += 1
    return found


def _band_keys(marks: np.ndarray) -> np.ndarray:
    """Combine the places of one band, (rows, ROWS) uint32, into one number per row, (rows,) uint64."""
    keys = np.zeros(len(marks), np.uint64)
    for place in range(ROWS):
        keys = (keys ^ marks[:, place]) * np.uint64(0x9E3779B97F4A7C15)
        keys ^= keys >> np.uint64(29)
    return keys


def _candidates(
    marks: np.ndarray, order: np.ndarray, keys: np.ndarray, is_wanted: np.ndarray, least: float
) -> np.ndarray:
    """Return the pairs in a band's buckets that their signatures do not rule out, encoded as first * rows + second.

    order: row numbers sorted by key, and by number within a bucket; keys: the sorted keys.
    """
    found = []
    for shift in range(1, REACH + 1):
        same = np.flatnonzero(keys[shift:] == keys[:-shift])
        first, second = order[same], order[same + shift]
        chosen = is_wanted[first] | is_wanted[second]
        first, second = first[chosen], second[chosen]
        agree = np.concatenate(
            [
                (marks[first[start : start + STEP // 8]] == marks[second[start : start + STEP // 8]]).mean(axis=1)
                for start in range(0, max(1, len(first)), STEP // 8)
            ]
        )
        likely = agree >= least - SLACK
        found.append(first[likely] * len(marks) + second[likely])
    return np.concatenate(found)
