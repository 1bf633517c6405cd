"""Turns tagged words into readable answers: entities with their places in the text, or text with marks and capitals.

A bundle of a tagger has a copy of this file, so that it answers as the model does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from data.json_types import JsonObject
from data.targets.tag_schemes import NOTHING, SECOND, entity_types, find_entities
from data.targets.written_text import FOUR, are_cases, are_marks, lower_case, restore


def entity_spans(
    tags: np.ndarray, shares: np.ndarray, names: Sequence[str], text: str, places: np.ndarray
) -> list[JsonObject]:
    """Return the entities of a text as objects with type, text, start, end and score.

    tags: (words,) ids into `names`; shares: (words,) the probability of each tag; places: (words, 2) where words start
    and end in the text, in characters. The score is the mean over the entity's words.
    """
    kinds = [name.partition("-")[2] for name in names]
    found = find_entities(tags, np.array([0, len(tags)]), names)
    spans = []
    for first, last in zip(found.first.tolist(), found.last.tolist()):
        start, end = int(places[first, 0]), int(places[last, 1])
        score = float(shares[first : last + 1].mean(dtype=np.float64))
        kind = kinds[tags[first]] or names[tags[first]]
        spans.append({"type": kind, "text": text[start:end], "start": start, "end": end, "score": score})
    return spans


def with_entities(text: str, spans: Sequence[JsonObject]) -> str:
    """Return the text with its entities in brackets, each followed by its type: [Ada Lovelace](person) wrote it."""
    parts, at = list[str](), 0
    for span in spans:
        parts += [text[at : span["start"]], f"[{span['text']}]({span['type']})"]
        at = span["end"]
    return "".join([*parts, text[at:]])


def with_tags(words: Sequence[str], tags: Sequence[str]) -> str:
    """Return words with their tags: the/DET dog/NOUN; an empty tag is left out."""
    return " ".join(word if tag in NOTHING else f"{word}/{tag}" for word, tag in zip(words, tags))


def with_marks(
    words: Sequence[str], columns: Sequence[Sequence[str]], names: Sequence[Sequence[str]], language: str
) -> str:
    """Return the text restored from lower-case words and the tags of each column.

    columns: tags of each word, once for each label of a word; names: of all tags of each column.
    """
    nothing = [FOUR.none] * len(words)
    marks = next((tags for tags, all_tags in zip(columns, names) if are_marks(all_tags)), nothing)
    cases = next((tags for tags, all_tags in zip(columns, names) if are_cases(all_tags)), nothing)
    return restore([lower_case(word, language) for word in words], marks, cases, language)


@dataclass(frozen=True)
class TaggedText:
    """A question with the tags that a model answered."""

    text: str
    places: np.ndarray  # (words, 2) where words start and end in the text
    tags: list[np.ndarray]  # for each label of a word: (words,) ids of its tags
    shares: list[np.ndarray]  # for each label of a word: (words,) the probability of the tag

    @property
    def words(self) -> list[str]:
        """The words as they stand in the text."""
        return [self.text[start:end] for start, end in self.places.tolist()]


def answer_of(tagged: TaggedText, names: Sequence[Sequence[str]], language: str) -> JsonObject:
    """Return the answer to a question, with the fields that `Tags.answer_fields` names."""
    columns = [[part[tag] for tag in tags.tolist()] for tags, part in zip(tagged.tags, names)]
    keyed = dict(zip(("tags", f"{SECOND}tags"), columns))
    if restores(names):
        return {"prediction": with_marks(tagged.words, columns, names, language), **keyed}
    if not entity_types(names[0]):
        return {"prediction": with_tags(tagged.words, columns[0]), **keyed}
    spans = entity_spans(tagged.tags[0], tagged.shares[0], names[0], tagged.text, tagged.places)
    return {"prediction": with_entities(tagged.text, spans), "spans": spans, **keyed}


def restores(names: Sequence[Sequence[str]]) -> bool:
    """Do these tags restore a text's punctuation marks, its capitals or both?"""
    return all(are_marks(part) or are_cases(part) for part in names)
