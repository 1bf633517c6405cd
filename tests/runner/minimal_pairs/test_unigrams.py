"""The control: counts of the run's own training text, a score that knows no order."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from data.inputs.tokenizer import load_tokenizer, require_pieces
from runner.minimal_pairs.subject import check_words
from runner.minimal_pairs.unigrams import piece_counts, unigram_scores
from runner.record.subject import find_subject
from tests.runner.minimal_pairs.toys import CLS, MASK, SEP, sentences


def test_counts_are_those_of_the_rows_that_the_run_trained_on(output: Path, run_id: str) -> None:
    record = find_subject(run_id, output, check_words).record
    assert record is not None
    tokenizer = require_pieces(load_tokenizer(str(output / run_id / "model")), "a test")
    counts = piece_counts(record, tokenizer, output.parent / "cache", None)
    assert isinstance(counts, np.ndarray)
    assert counts[tokenizer.backend.token_to_id("[CLS]")] == 300, "one a text, however they are packed"
    changed = replace(record, data=replace(record.data, fingerprints={"train": "other"}))
    assert "has changed since" in str(piece_counts(changed, tokenizer, output.parent / "cache", None))
    assert (
        json.dumps(piece_counts(None, tokenizer, output, None)) == '"the training text of this model is not known here"'
    )


def test_two_orders_of_the_same_pieces_have_the_same_score_to_the_last_bit() -> None:
    counts = np.random.default_rng(0).integers(0, 1000, 40).astype(float)
    pieces = np.random.default_rng(1).integers(5, 40, 30).tolist()
    first, second = unigram_scores(sentences([pieces, pieces[::-1]]), counts)
    assert first == second


def test_a_piece_that_never_occurred_counts_once_and_special_tokens_not_at_all() -> None:
    counts = np.zeros(12)
    counts[[10, CLS, SEP, MASK]] = 3, 100, 100, 100
    found = unigram_scores(sentences([[10], [11], [10, 11]]), counts)
    total = 4 + 1 + 7  # the other pieces of the vocabulary of 12, without three special ones
    assert found == pytest.approx([np.log(4 / total), np.log(1 / total), np.log(4 / total**2)])
