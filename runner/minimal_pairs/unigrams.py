"""A control without word order: pieces are scored by how often they occur in the run's own training text."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from data.errors import DataError
from data.inputs.tokenizer import PieceTokenizer
from data.load import read_rows, tokenise_rows
from data.stores.build_once import Notify, SharedCache
from runner.minimal_pairs.sentences import Sentences
from runner.record.data_settings import data_settings
from runner.record.record import RunRecord
from runner.tasks.make import task_of_record

CHUNK = 1 << 22  # tokens counted at a time


def piece_counts(record: RunRecord | None, tokenizer: PieceTokenizer, cache: Path, notify: Notify) -> np.ndarray | str:
    """Return how often each piece occurs in the training rows of a run, (V,), or why that is unknown."""
    if record is None:
        return "the training text of this model is not known here"
    settings, shared = data_settings(record), SharedCache(cache, notify)
    try:
        rows = read_rows(settings, shared, task_of_record(record).target)
        if rows.fingerprints["train"] != record.data.fingerprints.get("train"):
            return "the training text of the run has changed since"
        tokens = tokenise_rows(rows, "train", tokenizer, settings.max_length, shared).tokens
    except (DataError, OSError) as error:
        return f"the training text of the run cannot be read: {str(error).splitlines()[0].split('. ')[0]}"
    counts = np.zeros(tokenizer.vocab_size)
    for start in range(0, len(tokens), CHUNK):
        counts += np.bincount(tokens[start : start + CHUNK], minlength=len(counts))
    return counts


def unigram_scores(sentences: Sentences, counts: np.ndarray) -> np.ndarray:
    """Return the log probability of each sentence, (sentences,), as a bag of pieces, with add-one counts."""
    special = np.concatenate([sentences.frame.before, sentences.frame.after, [sentences.mask_id]])
    smoothed = counts + 1.0
    smoothed[np.unique(special)] = 0.0
    logs = np.log(np.maximum(smoothed, 1.0) / smoothed.sum())
    # Sorted: two orders of the same pieces must have the same sum, to the last bit.
    return np.array([np.sort(logs[pieces]).sum() for pieces in sentences.pieces])
