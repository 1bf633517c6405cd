"""The facts of a table that decide what is tried: rows, classes, words, scripts, repeats, unlabelled texts."""

from __future__ import annotations

import numpy as np

from data import duplicates
from data.labels import Labels
from data.load import Rows
from data.stores.build_once import SharedCache
from data.targets.base import Target
from data.text_facts import find_words, new_word_share, sample_texts, scripts_of
from runner.best.types import Facts

# Scripts written without spaces between words, as named in Unicode's names of their letters.
UNSPACED = frozenset({"CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN"})


def rows_of_classes(target: Target, parts: list[Labels]) -> np.ndarray | None:
    """Return the rows of each class, or of each label of sets, in all parts together; None without classes."""
    sets = [found for labels in parts if (found := target.members(labels)) is not None]
    if sets:
        return np.sum([found.sum(axis=0, dtype=np.int64) for found in sets], axis=0)
    strata = [found for labels in parts if (found := target.strata(labels)) is not None]
    return np.unique(np.concatenate(strata), return_counts=True)[1] if strata else None


def read_facts(rows: Rows, cache: SharedCache) -> Facts:
    """Return the facts of rows that have been read and cut."""
    raw = rows.raw
    train, select, report = (raw.splits[name] for name in ("train", rows.select, rows.report[0]))
    texts = list(sample_texts(train))
    words = [find_words(text) for text in texts]
    counts = np.array([len(found) for found in words] or [0])
    known, scripts = {word for found in words for word in found}, scripts_of(texts)
    has_spaces = not UNSPACED.intersection(scripts)
    tokens = counts if has_spaces else np.array([len("".join(found)) for found in words] or [0])
    used = [train, select] if rows.is_cut else [train]
    sizes = rows_of_classes(raw.target, [split.labels for split in used])
    count = sum(map(len, used))
    median, most = np.percentile(counts, (50, 95))
    repeats = duplicates.text_hashes(train, rows.fingerprints["train"], cache)
    return Facts(
        rows=count,
        classes=len(raw.target.names) or None,
        smallest_class=None if sizes is None else int(sizes.min()),
        words_median=float(median),
        words_p95=float(most),
        words_mean=round(float(counts.mean()), 2),
        tokens_p95=float(np.percentile(tokens, 95)),
        is_pair=rows.task.is_pair,
        majority=None if sizes is None else float(sizes.max() / count),
        train_rows=len(train),
        select_rows=len(select),
        report_rows=len(report),
        is_cut=rows.is_cut,
        has_spaces=has_spaces,
        new_words=round(new_word_share(sample_texts(select), known), 4),
        scripts=scripts,
        repeated=len(repeats) - len(np.unique(repeats)),
    )
