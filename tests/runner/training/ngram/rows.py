"""Splits of texts with labels, as models over n-grams read them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from data.inputs.hashed_words import HashedWords
from data.inputs.text import Text
from data.labels import Labels
from data.splits import DataTask, Splits, TokenSplit
from data.targets.class_label import ClassLabel
from models.settings import ModelSettings
from runner.tasks.base import LabelFacts
from runner.tasks.classification import Classification

SETTINGS = ModelSettings(name="ngram", family="ngram", readout={"name": "sum"}, max_kb=None)
NOUNS = [f"noun{place}" for place in range(40)]
MOODS = {"neg": ["bad", "dull", "poor", "flat"], "pos": ["good", "fine", "rich", "warm"], "odd": ["odd", "wild"]}


def split_of_texts(texts: Sequence[str], labels: Sequence[int | float], name: str = "train") -> TokenSplit:
    """A split of texts; whole numbers are classes."""
    own = Text(HashedWords())
    found = own.encode({"text": list(texts)}, 99)
    values = np.array(labels, np.int64 if all(isinstance(label, int) for label in labels) else np.float32)
    offsets = np.concatenate([[0], np.cumsum(found.lengths)])
    return TokenSplit(
        name, found.tokens.astype(np.uint32), offsets, found.segment_starts, Labels(values), 0, own,
        ClassLabel(tuple(MOODS)),
    )  # fmt: skip


def review_texts(count: int, classes: int = 2, seed: int = 0) -> tuple[list[str], list[int]]:
    """Texts of nouns with one word that tells the class, and one in five that lies."""
    random = np.random.default_rng(seed)
    labels = [place % classes for place in range(count)]
    moods = list(MOODS.values())
    texts = []
    for label in labels:
        told = label if random.random() > 0.2 else int(random.integers(classes))
        nouns = random.choice(NOUNS, 6)
        texts.append(" ".join([*nouns[:3], str(random.choice(moods[told])), *nouns[3:], "."]))
    return texts, labels


def review_splits(classes: int = 2, *, shuffled: bool = False) -> tuple[Splits, Classification]:
    """Training, selection and reported rows, and their task; shuffled: only reported labels mean something."""
    parts = []
    for seed, (name, count) in enumerate({"train": 600, "val": 200, "test": 400}.items()):
        texts, labels = review_texts(count, classes, seed)
        if shuffled and name != "test":
            labels = np.random.default_rng(1).permutation(labels).tolist()
        parts.append(split_of_texts(texts, labels, name))
    names = tuple(MOODS)[:classes]
    splits = Splits(DataTask("class_label", names, False), parts[0], parts[1], (parts[2],), HashedWords(), "")
    return splits, Classification(LabelFacts(names))


def intent_texts(rows: int, intents: int, seed: int) -> tuple[list[str], list[int]]:
    """Texts of many classes: two words of a class that has four of its own, among words of all classes."""
    random = np.random.default_rng(seed)
    labels = [row % intents for row in range(rows)]
    texts = [
        " ".join([*random.choice(NOUNS, 5), *random.choice([f"of{label}word{place}" for place in range(4)], 2)])
        for label in labels
    ]
    return texts, labels


def intent_names(intents: int) -> tuple[str, ...]:
    """The names of the classes of `intent_texts`."""
    return tuple(f"intent {place}" for place in range(intents))
