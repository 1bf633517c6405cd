"""The built-in data set for tagging: sentences in which people, places and companies share the same names.

    rows = generate_tagged(rows=2000, seed=0)     # [(["Mr", "Lincoln", "slept"], ["O", "B-PER", "O"]), ...]

The type of a name depends on its neighbours, not on the name: `Mr Lincoln`, `in Lincoln`, `Lincoln Bank`. There is no
noise, so the Bayes ceiling is an F1 of 1.0; each word's most frequent tag reaches 0.27, a bag of words 0.46.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

VERSION = 1  # part of the data fingerprint: raise it with every change that alters a row
TYPES = ("PER", "LOC", "ORG")
NAMES = (
    "Lincoln", "Jordan", "Austin", "Florence", "Sydney", "Houston", "Kent", "Paris", "Victoria", "Madison", "Chester",
    "Hamilton", "Wells", "Bradford", "Clifton", "Devon", "Logan", "Preston", "Salem", "Marion",
)  # fmt: skip
SECOND = ("Hill", "Park", "Stone", "Rivers", "Field", "Woods")  # second word of two-word names of any type
TITLES = ("Mr", "Mrs", "Doctor", "Captain", "Aunt", "Judge")
BEFORE_PLACE = ("in", "near", "from", "outside", "across", "to")
KINDS = ("Bank", "Motors", "Press", "Airways", "Foods", "Records")
VERBS = ("visited", "called", "left", "praised", "sued", "met", "joined", "helped", "thanked", "trusted")
ENDS = ("on Monday", "last year", "at noon", "after lunch", "without delay", "in May", "for a week", "again")
# Of different lengths, so that the position in the sentence does not reveal the type of a name.
BEGINS = (
    "", "yesterday", "in fact ,", "as everyone knows ,", "so the paper says that", "on the way home last night",
    "for a reason that nobody understood at first ,",
)  # fmt: skip
FILLERS = ("the old driver", "a young clerk", "nobody", "our neighbour", "the team", "everyone", "two reporters")
Tagged = tuple[list[str], list[str]]


def generate_tagged(rows: int, seed: int) -> list[Tagged]:
    """Return `rows` distinct sentences as words and their tags in IOB2, generated from a seed.

    The same arguments give the same rows on every machine; fewer rows are a prefix of more.
    """
    rng = random.Random(f"bertier demo tags {VERSION} {seed}")  # a string seed is the same in every process
    seen, out = set[str](), list[Tagged]()
    while len(out) < rows:
        words, tags = _sentence(rng)
        text = " ".join(words)
        if text not in seen:
            seen.add(text)
            out.append((words, tags))
    return out


def _sentence(rng: random.Random) -> Tagged:
    """Return a sentence with up to three entities."""
    parts = [(_pick(rng, BEGINS), ""), *_party(rng), (_pick(rng, VERBS), ""), *_party(rng)]
    if rng.random() < 0.5:
        parts += _place(rng)
    parts += [(_pick(rng, ENDS), ""), (".", "")]
    words, tags = list[str](), list[str]()
    for text, entity in parts:
        for i, word in enumerate(text.split()):
            words.append(word)
            tags.append(f"{'I' if i else 'B'}-{entity}" if entity else "O")
    return words, tags


def _party(rng: random.Random) -> Iterator[tuple[str, str]]:
    """Yield a person, a company or a filler as texts with their entity type, "" for none."""
    draw = rng.random()
    if draw < 0.2:
        yield _pick(rng, FILLERS), ""
    elif draw < 0.6:
        yield _pick(rng, TITLES), ""
        yield _name(rng), "PER"
    else:
        yield f"{_name(rng)} {_pick(rng, KINDS)}", "ORG"


def _place(rng: random.Random) -> Iterator[tuple[str, str]]:
    """Yield a preposition and a place."""
    yield _pick(rng, BEFORE_PLACE), ""
    yield _name(rng), "LOC"


def _name(rng: random.Random) -> str:
    name = _pick(rng, NAMES)
    return f"{name} {_pick(rng, SECOND)}" if rng.random() < 0.3 else name


def _pick(rng: random.Random, options: tuple[str, ...]) -> str:
    return options[int(rng.random() * len(options))]
