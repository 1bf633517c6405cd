"""The facts of a table that decide what is tried: rows, classes, words, scripts, repeats, unlabelled texts."""

from __future__ import annotations

import numpy as np

from data import duplicates
from data.load import Rows
from data.stores.build_once import SharedCache
from data.text_facts import find_words, new_word_share, sample_texts, scripts_of
from runner.best.types import Facts

# Scripts whose words are not set apart by spaces, as in Unicode's names of their letters.
UNSPACED = frozenset({"CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN"})


def read_facts(rows: Rows, cache: SharedCache) -> Facts:
    """Return the facts of rows that have been read and cut."""
    raw = rows.raw
    train, select, report = (raw.splits[name] for name in ("train", rows.select, rows.report[0]))
    texts = list(sample_texts(train))
    words = [find_words(text) for text in texts]
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
