"""Sentences with classes made from a treebank, by the rules of SentEval's probing tasks, made from parsed books.

They are few, and from the treebank's own texts: never compare their numbers with published ones of SentEval. If enough
remain, training sentences whose deciding verb or noun also occurs in another split are left out.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from data.sources.conllu import ROOT, Sentence
from runner.errors import ConfigError
from runner.probing.treebanks.tree import depths
from runner.probing.treebanks.treebank import Treebank

SHORTEST, LONGEST = 5, 28  # words of a sentence
LENGTH_STARTS = (9, 13, 17, 21, 26)  # words from which the next class of sentence_length begins
DEEPEST = 8  # depths from here on are one class
FEWEST = 10  # sentences of a class to train on
LEAST_APART = 0.25  # of the training sentences that must be left when forms are kept apart, else they are not


@dataclass(frozen=True)
class Example:
    """A sentence with its class; form: the word that decides, None if no single word does."""

    text: str
    label: str
    form: str | None = None


Rule = Callable[[Sentence, np.random.Generator], list[Example]]


def sentence_length(sentence: Sentence, _: np.random.Generator) -> list[Example]:
    """Return the sentence with its length bin."""
    return [Example(sentence.text, str(bisect.bisect(LENGTH_STARTS, len(sentence))))]


def tree_depth(sentence: Sentence, _: np.random.Generator) -> list[Example]:
    """Return the sentence with the depth of its tree."""
    return [Example(sentence.text, str(min(int(depths(sentence.heads).max()), DEEPEST)))]


def bigram_shift(sentence: Sentence, generator: np.random.Generator) -> list[Example]:
    """Return the sentence unchanged (O), or with two adjacent words swapped, neither of them punctuation (I)."""
    words, pos = list(sentence.words), sentence.upos
    places = [i for i in range(len(words) - 1) if "PUNCT" not in pos[i : i + 2] and words[i] != words[i + 1]]
    if not places:
        return []
    if generator.random() < 0.5:
        return [Example(sentence.text, "O")]
    place = int(generator.choice(places))
    words[place : place + 2] = words[place + 1], words[place]
    return [Example(" ".join(words), "I")]


def past_present(sentence: Sentence, _: np.random.Generator) -> list[Example]:
    """Return the sentence with the tense of its root, a finite verb."""
    root = sentence.heads.index(ROOT)
    features = sentence.features[root]
    tense = {"Past": "PAST", "Pres": "PRES"}.get(features.get("Tense", ""))
    if sentence.upos[root] != "VERB" or features.get("VerbForm") != "Fin" or tense is None:
        return []
    return [Example(sentence.text, tense, sentence.words[root].lower())]


def _number_of(relation: str) -> Rule:
    def rule(sentence: Sentence, _: np.random.Generator) -> list[Example]:
        root = sentence.heads.index(ROOT)
        places = [i for i, head in enumerate(sentence.heads) if head == root and sentence.relations[i] == relation]
        if len(places) != 1 or sentence.upos[places[0]] != "NOUN":
            return []
        label = {"Sing": "NN", "Plur": "NNS"}.get(sentence.features[places[0]].get("Number", ""))
        return [] if label is None else [Example(sentence.text, label, sentence.words[places[0]].lower())]

    return rule


def coordination_inversion(sentence: Sentence, _: np.random.Generator) -> list[Example]:
    """Return the sentence unchanged (O), and with its two coordinated clauses swapped (I)."""
    heads, relations = sentence.heads, [one.partition(":")[0] for one in sentence.relations]
    children = [[i for i, head in enumerate(heads) if head == word] for word in range(len(heads))]
    root = heads.index(ROOT)
    clauses = [word for word in children[root] if relations[word] == "conj"]
    if len(clauses) != 1:
        return []
    own = {relations[child]: child for child in children[clauses[0]]}
    second = _under(clauses[0], children)
    if "cc" not in own or "nsubj" not in own or second != [*range(second[0], second[-1] + 1)]:
        return []
    joint, end = own["cc"], len(heads) - 1 if sentence.upos[-1] == "PUNCT" else len(heads)
    before = [sentence.upos[word] for word in second if word < joint]  # in Universal Dependencies a comma is there
    if set(before) - {"PUNCT"} or joint == len(before) or second[-1] != end - 1:
        return []  # a word stands before the conjunction, no clause does, or something is behind the second one
    first_end = joint - 1 if sentence.upos[joint - 1] == "PUNCT" else joint
    words = list(sentence.words)
    between, last = words[first_end : joint + 1], words[end:]
    swapped = [*words[joint + 1 : end], *between, *words[:first_end], *last]
    return [Example(sentence.text, "O"), Example(" ".join(swapped), "I")]


def _under(word: int, children: Sequence[Sequence[int]]) -> list[int]:
    """Return the indices of a word and all its dependents, direct and indirect, in order."""
    found, waiting = [word], [*children[word]]
    while waiting:
        found.append(waiting.pop())
        waiting += children[found[-1]]
    return sorted(found)


RULES: dict[str, Rule] = {
    "sentence_length": sentence_length,
    "tree_depth": tree_depth,
    "bigram_shift": bigram_shift,
    "past_present": past_present,
    "subj_number": _number_of("nsubj"),
    "obj_number": _number_of("obj"),
    "coordination_inversion": coordination_inversion,
}


def generate(name: str, treebank: Treebank) -> dict[str, list[Example]]:
    """Return the examples of a task by split: as many of each class as of the rarest, except for lengths and depths.

    Raises ConfigError for a treebank that gives too few, because it lacks trees or the features.
    """
    generator, found = np.random.default_rng(0), dict[str, list[Example]]()
    for which, sentences in treebank.splits.items():
        fits = [one for one in sentences if one.heads and SHORTEST <= len(one) <= LONGEST]
        found[which] = [example for one in fits for example in RULES[name](one, generator)]
    found = _apart(found)
    classes = sorted({example.label for example in found["train"]})
    if len(classes) == 2:
        found = {which: _balanced(examples, generator) for which, examples in found.items()}
    frequent = {label for label in classes if sum(one.label == label for one in found["train"]) >= FEWEST}
    found = {which: [one for one in examples if one.label in frequent] for which, examples in found.items()}
    if len(frequent) < 2 or not all(len({one.label for one in examples}) > 1 for examples in found.values()):
        other = "" if name == "sentence_length" else ", or tasks=sentence_length"
        raise ConfigError(
            f"run probe: tasks={name}: treebank {treebank.name} gives fewer than {FEWEST} training sentences of two "
            f"classes ({', '.join(classes) or 'none'}): it is too small, or lacks trees or the features Tense, "
            f"VerbForm and Number. Try: another treebank{other}"
        )
    return found


def _apart(found: dict[str, list[Example]]) -> dict[str, list[Example]]:
    """Leave out the training sentences whose form is in another split, if enough of them are left."""
    forms = {one.form for which, examples in found.items() if which != "train" for one in examples} - {None}
    left = [one for one in found["train"] if one.form not in forms]
    return found | {"train": left} if len(left) >= LEAST_APART * len(found["train"]) else found


def _balanced(examples: list[Example], generator: np.random.Generator) -> list[Example]:
    """Equally many of both classes, in the order of the treebank."""
    by_class: dict[str, list[int]] = {}
    for place, example in enumerate(examples):
        by_class.setdefault(example.label, []).append(place)
    fewest = min(map(len, by_class.values()), default=0)
    chosen = [place for places in by_class.values() for place in generator.permutation(places)[:fewest].tolist()]
    return [examples[place] for place in sorted(chosen)]
