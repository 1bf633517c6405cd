"""Facts of BLiMP and TurBLiMP with BERT's vocabulary, counted independently of this code."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from data.inputs.tokenizer import load_tokenizer, require_pieces
from data.sources.sentence_pairs import Paradigm, read_pairs
from runner.minimal_pairs.evaluate import group_lines, identical_pairs, pair_table
from runner.minimal_pairs.results import Line
from runner.minimal_pairs.sentences import Sentences, encode_sentences
from runner.minimal_pairs.unigrams import unigram_scores
from runner.minimal_pairs.wanted import pair_source

SOME = ["adjunct_island", "animate_subject_trans", "drop_argument", "ellipsis_n_bar_2", "passive_1"]


def encoded(paradigms: list[Paradigm]) -> Sentences:
    tokenizer = require_pieces(load_tokenizer("google-bert/bert-base-uncased"), "a test")
    texts = [text for side in ("good", "bad") for one in paradigms for text in vars(one)[side]]
    return encode_sentences(tokenizer, texts, "pll")


def lines_of(paradigms: list[Paradigm], sentences: Sentences) -> dict[str, list[Line]]:
    """The lines of a model that knows no word order, with the length baseline beside it."""
    counts = np.random.default_rng(0).integers(0, 10_000, 30_522).astype(float)
    bag = unigram_scores(sentences, counts)
    half = len(bag) // 2
    table = pair_table(paradigms, sentences, bag, bag)
    return group_lines(paradigms, table, (sentences.unknown[:half], sentences.unknown[half:]))


def shorter(lines: list[Line]) -> dict[str, float]:
    return {line.name: round(line.shorter, 4) for line in lines}


@pytest.mark.hub
def test_the_length_baseline_and_ties_of_some_paradigms() -> None:
    paradigms = read_pairs(pair_source("blimp"), SOME)
    sentences = encoded(paradigms)
    lines = lines_of(paradigms, sentences)["paradigm"]
    wanted = {"animate_subject_trans": 0.8725, "drop_argument": 0.6925, "ellipsis_n_bar_2": 0.3455}
    assert shorter(lines).items() >= wanted.items()
    assert (lines[0].accuracy, lines[0].ties, lines[0].low, lines[0].high) == (0.5, 1.0, 0.5, 0.5)
    assert identical_pairs(paradigms, sentences) == ["passive_1 325", "passive_1 811"]


@pytest.mark.hub
def test_turblimp_has_20_identical_pairs() -> None:
    paradigms = read_pairs(pair_source("turblimp"), ["anaphor_agreement", "quantifiers"])
    found = identical_pairs(paradigms, encoded(paradigms))
    assert Counter(pair.split()[0] for pair in found) == {"anaphor_agreement": 10, "quantifiers": 10}
