"""The built-in set for tags: sentences with people, places and companies whose names they share.

    rows = generate_tagged(rows=2000, seed=0)     # [(["Mr", "Lincoln", "slept"], ["O", "B-PER", "O"]), ...]

A name alone does not say what it names, its neighbours do: `Mr Lincoln`, `in Lincoln`, `Lincoln Bank`. Without noise,
so the Bayes ceiling is an F1 of 1.0; the most frequent tag of each word comes to 0.27, a bag of words to 0.46.
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
SECOND = ("Hill", "Park", "Stone", "Rivers", "Field", "Woods")  # of a name with two words, whatever it names
TITLES = ("Mr", "Mrs", "Doctor", "Captain", "Aunt", "Judge")
BEFORE_PLACE = ("in", "near", "from", "outside", "across", "to")
KINDS = ("Bank", "Motors", "Press", "Airways", "Foods", "Records")
VERBS = ("visited", "called", "left", "praised", "sued", "met", "joined", "helped", "thanked", "trusted")
ENDS = ("on Monday", "last year", "at noon", "after lunch", "without delay", "in May", "for a week", "again")
# Of different lengths: the place in the sentence must not say what a name is.
BEGINS = (
    "", "yesterday", "in fact ,", "as everyone knows ,", "so the paper says that", "on the way home last night",
    "for a reason that nobody understood at first ,",
)  # fmt: skip
FILLERS = ("the old driver", "a young clerk", "nobody", "our neighbour", "the team", "everyone", "two reporters")
Tagged = tuple[list[str], list[str]]


def generate_tagged(rows: int, seed: int) -> list[Tagged]:
    """Return `rows` different sentences as words and their tags in IOB2, from a seed.

    The same arguments give the same rows everywhere, and fewer rows are a beginning of more.
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
    """Return a sentence of one to three entities."""
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
    """Yield somebody, or a company: texts with the type of entity that they are, "" for none."""
    draw = rng.random()
    if draw < 0.2:
        yield _pick(rng, FILLERS), ""
    elif draw < 0.6:
        yield _pick(rng, TITLES), ""
        yield _name(rng), "PER"
    else:
        yield f"{_name(rng)} {_pick(rng, KINDS)}", "ORG"


def _place(rng: random.Random) -> Iterator[tuple[str, str]]:
    """Yield a place and the word before it."""
    yield _pick(rng, BEFORE_PLACE), ""
    yield _name(rng), "LOC"


def _name(rng: random.Random) -> str:
    name = _pick(rng, NAMES)
    return f"{name} {_pick(rng, SECOND)}" if rng.random() < 0.3 else name


def _pick(rng: random.Random, options: tuple[str, ...]) -> str:
    return options[int(rng.random() * len(options))]
