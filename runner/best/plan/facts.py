"""The facts of a table that decide what is tried: rows, classes, words, scripts, repeats, unlabelled texts.

Words are those of models over n-grams, counted in at most SAMPLE rows, evenly spaced, so that a million rows take no
longer than 20,000.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache

import numpy as np

from data import duplicates
from data.inputs.hashed_words import PATTERN
from data.load import Rows
from data.sources.raw import CHUNK, RawSplit
from data.stores.build_once import SharedCache
from runner.best.types import Facts

SAMPLE = 20_000  # rows whose words are counted
MAIN_SCRIPT = 0.2  # share of the letters from which on a script is named
# Scripts whose words are not set apart by spaces, as in Unicode's names of their letters.
UNSPACED = frozenset({"CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN"})

_find_words = re.compile(PATTERN).findall


def read_facts(rows: Rows, cache: SharedCache) -> Facts:
    """Return the facts of rows that have been read and cut."""
    raw = rows.raw
    train, select, report = (raw.splits[name] for name in ("train", rows.select, rows.report[0]))
    texts = list(sample_texts(train))
    words = [_find_words(text.lower()) for text in texts]
    counts = np.array([len(found) for found in words] or [0])
    known, scripts = {word for found in words for word in found}, scripts_of(texts)
    used = [train, select] if rows.is_cut else [train]
    strata = [found for split in used if (found := raw.target.strata(split.labels)) is not None]
    sizes = np.unique(np.concatenate(strata), return_counts=True)[1] if strata else None
    median, most = np.percentile(counts, (50, 95))
    repeats = duplicates.text_hashes(train, rows.fingerprints["train"], cache)
    return Facts(
        rows=sum(map(len, used)),
        classes=len(raw.target.names) or None,
        smallest_class=None if sizes is None else int(sizes.min()),
        words_median=float(median),
        words_p95=float(most),
        words_mean=round(float(counts.mean()), 2),
        is_pair=rows.task.is_pair,
        majority=None if sizes is None else float(sizes.max() / sizes.sum()),
        train_rows=len(train),
        select_rows=len(select),
        report_rows=len(report),
        is_cut=rows.is_cut,
        has_spaces=not UNSPACED.intersection(scripts),
        new_words=round(new_word_share(sample_texts(select), known), 4),
        scripts=scripts,
        repeated=len(repeats) - len(np.unique(repeats)),
    )


def sample_columns(split: RawSplit, most: int = SAMPLE) -> Iterator[tuple[str, ...]]:
    """Yield the texts of at most `most` rows, evenly spaced over the split: one or two each; words joined by spaces."""
    chosen = np.unique(np.linspace(0, len(split) - 1, min(most, len(split))).round().astype(int))
    for start in range(0, len(chosen), CHUNK):
        columns = split.read(chosen[start : start + CHUNK])
        for cells in zip(*columns.values()):
            yield tuple(cell if isinstance(cell, str) else " ".join(cell) for cell in cells)


def sample_texts(split: RawSplit, most: int = SAMPLE) -> Iterator[str]:
    """Yield what `sample_columns` does, the two texts of a pair as one."""
    return (" ".join(cells) for cells in sample_columns(split, most))


def words_of(texts: Iterable[str]) -> set[str]:
    """Return the different words of texts."""
    return {word for text in texts for word in _find_words(text.lower())}


def new_word_share(texts: Iterable[str], known: set[str]) -> float:
    """Return the share of the words of texts, each as often as it occurs, that are not among the known ones."""
    counts = Counter(word for text in texts for word in _find_words(text.lower()))
    return sum(count for word, count in counts.items() if word not in known) / max(1, counts.total())


def scripts_of(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the scripts of most letters, the most frequent first, as in Unicode's names: LATIN, CYRILLIC, CJK."""
    letters = Counter[str]()
    for text in texts:
        letters.update(text)
    scripts = Counter[str]()
    for letter, count in letters.items():
        if letter.isalpha():
            scripts[script_of(letter)] += count
    whole = max(1, scripts.total())
    return tuple(name for name, count in scripts.most_common() if count >= MAIN_SCRIPT * whole)


@cache
def script_of(letter: str) -> str:
    """Return the first word of a letter's name, which is its script."""
    return unicodedata.name(letter, "UNKNOWN").split()[0].partition("-")[0]
