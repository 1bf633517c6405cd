"""Sentences with classes: each rule on a sentence by hand, then counts and splits of whole tasks."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from data.sources.conllu import Sentence
from runner.errors import ConfigError
from runner.probing.tasks import SENTENCES
from runner.probing.treebanks.generated import RULES, Example, generate
from runner.probing.treebanks.treebank import Treebank


def parsed(rows: str, features: dict[str, dict[str, str]]) -> Sentence:
    """A sentence of word/part of speech/head/relation, heads from 1 and 0 of the root; features by word."""
    words, upos, heads, relations = zip(*(row.split("/") for row in rows.split()))
    places = tuple(int(head) - 1 for head in heads)
    return Sentence(words, upos, tuple(features.get(word, {}) for word in words), places, relations)


PAST = {"Tense": "Past", "VerbForm": "Fin"}
DOGS = parsed(
    "Old/ADJ/2/amod dogs/NOUN/3/nsubj saw/VERB/0/root a/DET/5/det cat/NOUN/3/obj ./PUNCT/3/punct",
    {"dogs": {"Number": "Plur"}, "cat": {"Number": "Sing"}, "saw": PAST},
)
CLAUSES = parsed(
    "He/PRON/2/nsubj came/VERB/0/root ,/PUNCT/6/punct and/CCONJ/6/cc she/PRON/6/nsubj left/VERB/2/conj "
    "early/ADV/6/advmod ./PUNCT/2/punct",
    {},
)


def made(name: str, sentence: Sentence) -> list[Example]:
    return RULES[name](sentence, np.random.default_rng(0))


def test_rules_read_the_tree_and_the_features() -> None:
    assert made("sentence_length", DOGS) == [Example(DOGS.text, "0")]
    assert made("tree_depth", DOGS) == [Example(DOGS.text, "2")]
    assert made("past_present", DOGS) == [Example(DOGS.text, "PAST", "saw")]
    assert made("subj_number", DOGS) == [Example(DOGS.text, "NNS", "dogs")]
    assert made("obj_number", DOGS) == [Example(DOGS.text, "NN", "cat")]
    assert made("obj_number", CLAUSES) == made("subj_number", CLAUSES) == [], "no noun"
    bare = replace(DOGS, features=({},) * 6)
    assert made("past_present", bare) == made("obj_number", bare) == []


def test_two_clauses_change_places_around_their_conjunction() -> None:
    assert made("coordination_inversion", CLAUSES) == [
        Example("He came , and she left early .", "O"),
        Example("she left early , and He came .", "I"),
    ]
    assert made("coordination_inversion", DOGS) == []


def test_two_neighbours_that_are_no_punctuation_are_swapped() -> None:
    generator, found = np.random.default_rng(0), Counter[str]()
    for _ in range(200):
        (one,) = RULES["bigram_shift"](DOGS, generator)
        found[one.label] += 1
        words = one.text.split()
        assert sorted(words) == sorted(DOGS.words) and words[-1] == "."
        assert sum(ours != theirs for ours, theirs in zip(words, DOGS.words)) == (2 if one.label == "I" else 0)
    assert 70 < found["I"] < 130


def test_every_task_has_a_rule_and_two_classes_are_balanced(treebank: Treebank) -> None:
    assert set(RULES) == set(SENTENCES)
    found = generate("past_present", treebank)
    for examples in found.values():
        counts = Counter(one.label for one in examples)
        assert counts["PAST"] == counts["PRES"] > 5
    assert found == generate("past_present", treebank)


def numbered(first: int, last: int) -> list[Sentence]:
    """Two sentences of each number in the range, one with a singular object and one with a plural one."""
    return [
        replace(
            DOGS, words=(*DOGS.words[:4], f"{number}{at}", "."), features=(*DOGS.features[:4], {"Number": number}, {})
        )
        for at in range(first, last)
        for number in ("Sing", "Plur")
    ]


def test_no_deciding_word_is_in_training_and_in_other_sentences_where_enough_are_left() -> None:
    splits = {"train": numbered(0, 40), "select": numbered(30, 35), "report": numbered(35, 50)}
    apart = generate("obj_number", Treebank("x", splits))
    assert {which: len(one) for which, one in apart.items()} == {"train": 60, "select": 10, "report": 30}
    forms = {which: {one.form for one in examples} for which, examples in apart.items()}
    assert not forms["train"] & (forms["select"] | forms["report"])
    shared = generate("obj_number", Treebank("x", splits | {"select": numbered(0, 35)}))
    assert len(shared["train"]) == 80, "none would be left"


def test_a_treebank_that_gives_too_few_is_refused(treebank: Treebank) -> None:
    with pytest.raises(ConfigError, match=r"coordination_inversion: treebank en_made gives fewer than 10 .*\(none\)"):
        generate("coordination_inversion", treebank)


def test_a_refused_task_is_not_its_own_cure(treebank: Treebank) -> None:
    with pytest.raises(ConfigError, match=r"tasks=sentence_length: .* Try: another treebank$"):
        generate("sentence_length", treebank)
    with pytest.raises(ConfigError, match=r"Try: another treebank, or tasks=sentence_length$"):
        generate("coordination_inversion", treebank)
