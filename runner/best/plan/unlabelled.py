"""Checks the file of unlabelled texts: their number, which are reported rows, whether they resemble the data."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from data import duplicates
from data.load import Rows
from data.sources.choice import read_raw
from data.stores.build_once import SharedCache
from data.text_facts import new_word_share, sample_texts, scripts_of, words_of
from data.unlabelled import texts_alone
from runner.best.types import Budget, Facts
from runner.errors import ConfigError
from runner.experiment.unlabelled_source import unlabelled_source
from runner.schema import Settings

MOST_UNKNOWN = 0.2  # largest share of words unknown to the training texts, beyond that of the selection texts
KEY = "unlabelled"


def count_unlabelled(facts: Facts, rows: Rows, settings: Settings, budget: Budget, cache: SharedCache) -> Facts:
    """Return the facts with those of the file `unlabelled`, if the budget names one.

    Rows whose text is a reported or a selection one are counted as left out. Raises DataError for a file that cannot be
    read, and ConfigError for one that is empty or whose words differ from the training texts'.
    """
    if not budget.unlabelled:
        return facts
    plain = texts_alone(unlabelled_source(KEY, budget.unlabelled, settings.data))
    found = read_raw(plain, cache).splits["train"]
    if not len(found):
        raise ConfigError(f"{KEY}={budget.unlabelled} has no text. Try: {KEY}=<a file with the column {plain.text}>")
    texts, train = list(sample_texts(found)), list(sample_texts(rows.raw.splits["train"]))
    unknown = new_word_share(texts, words_of(train))
    if unknown > MOST_UNKNOWN + facts.new_words:
        scripts = [" and ".join(scripts_of(some)) or "no letters" for some in (texts, train)]
        raise ConfigError(
            f"{KEY}={budget.unlabelled}: {unknown:.0%} of its words are in no training text ({scripts[0]}; training "
            f"texts: {scripts[1]}). Texts of the same kind and language are needed. Leave {KEY} out"
        )
    digest = found.fingerprint()
    own = duplicates.text_hashes(found, digest, cache)
    held = [
        duplicates.text_hashes(rows.raw.splits[name], rows.fingerprints[name], cache)
        for name in (rows.select, *rows.report)
    ]
    left_out = int(np.isin(own, np.concatenate(held)).sum())
    note = (f"{left_out:,} of the {len(own):,} unlabelled rows have selection or reported texts: left out",)
    return replace(
        facts,
        unlabelled_rows=len(own) - left_out,
        unlabelled_digest=digest,
        reported_left_out=left_out,
        notes=facts.notes + (note if left_out else ()),
    )
