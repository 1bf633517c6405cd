"""A treebank of made-up sentences: det noun verb det noun and a full stop."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from data.sources.conllu import Sentence
from runner.probing.treebanks.tree import depths

NOUNS = {"Sing": ("dog", "film", "story", "actor"), "Plur": ("dogs", "films", "stories", "actors")}
VERBS = {"Past": ("liked", "moved", "bored", "saw"), "Pres": ("likes", "moves", "bores", "sees")}


def made_lines(generator: np.random.Generator) -> list[str]:
    """The ten columns of one sentence: the root is its verb, "nice" hangs on the object in half of the sentences."""
    numbers = [("Sing", "Plur")[generator.integers(2)] for _ in range(2)]
    subject, thing = (str(generator.choice(NOUNS[number])) for number in numbers)
    tense = ("Past", "Pres")[generator.integers(2)]
    verb, is_long = str(generator.choice(VERBS[tense])), bool(generator.integers(2))
    last = 6 if is_long else 5
    rows = [
        ("the", "DET", "_", 2, "det"),
        (subject, "NOUN", f"Number={numbers[0]}", 3, "nsubj"),
        (verb, "VERB", f"Tense={tense}|VerbForm=Fin", 0, "root"),
        ("a", "DET", "_", last, "det"),
        *([("nice", "ADJ", "_", last, "amod")] if is_long else []),
        (thing, "NOUN", f"Number={numbers[1]}", 3, "obj"),
        (".", "PUNCT", "_", 3, "punct"),
    ]
    return [
        f"{number}\t{word}\t_\t{pos}\t_\t{features}\t{head}\t{relation}\t_\t_"
        for number, (word, pos, features, head, relation) in enumerate(rows, 1)
    ]


def write_treebank(folder: Path, train: int = 60, other: int = 25) -> Path:
    """Write a folder of three files as Universal Dependencies name them."""
    folder.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(0)
    for split, count in (("train", train), ("dev", other), ("test", other)):
        sentences = ["\n".join(["# made up", *made_lines(generator)]) + "\n" for _ in range(count)]
        (folder / f"en_made-ud-{split}.conllu").write_text("\n".join(sentences), encoding="utf-8")
    return folder


def random_heads(words: int, generator: np.random.Generator) -> tuple[int, ...]:
    """The heads of a random tree, -1 for its root."""
    order = generator.permutation(words).tolist()
    heads = [-1] * words
    for place, word in enumerate(order[1:], 1):
        heads[word] = order[generator.integers(place)]
    return tuple(heads)


def random_sentence(words: int, generator: np.random.Generator) -> Sentence:
    """A sentence with a random tree."""
    names = tuple(f"w{word}" for word in range(words))
    return Sentence(names, ("NOUN",) * words, ({},) * words, random_heads(words, generator), ("dep",) * words)


def path_vectors(heads: tuple[int, ...], hidden: int) -> np.ndarray:
    """Vectors (n, hidden) whose squared distances are the numbers of edges: a one for each edge up to the root."""
    found = np.zeros((len(heads), hidden), np.float32)
    for word in np.argsort(depths(heads), kind="stable").tolist():
        if heads[word] >= 0:
            found[word] = found[heads[word]]
            found[word, word] = 1
    return found
