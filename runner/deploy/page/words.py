"""Describes the tags of a model to its page, so that words.js has no rules about names of tags."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate

from data.json_types import JsonObject
from data.targets.tag_schemes import NOTHING, SECOND, UNNAMED, entity_types
from data.targets.written_text import AROUND, FOUR, MARKS, NINE, are_cases, are_marks, lowers_as_turkish
from runner.record.record import DataFacts
from runner.tasks.tag_answers import restores


def words_of_page(facts: JsonObject) -> JsonObject:
    """Return `words` of page.json: the facts that a bundle has, and how tags become an answer.

    facts: with `tags`, the names of the tags of each label of a word, and `language`.
    """
    names: list[list[str]] = facts["tags"]
    form = "restored" if restores(names) else "entities" if entity_types(names[0]) else "tags"
    return facts | {
        "form": form, "nothing": list(NOTHING), "around": AROUND + MARKS,
        "turkish": lowers_as_turkish(facts["language"]),
        "marks": _first(are_marks, names), "cases": _first(are_cases, names), "written": NINE.written | FOUR.written,
        "first": [FOUR.first, NINE.first], "upper": [FOUR.upper, NINE.upper],
    }  # fmt: skip


def about_tags(data: DataFacts) -> str:
    """Return the beginning of a sentence on what a tagger does. data: the part of its record about the data."""
    counts = data.label_columns or [len(data.labels)]
    columns = [data.labels[end - count : end] for count, end in zip(counts, accumulate(counts))]
    if types := entity_types(columns[0]):
        return f"Finds {'entities' if types == (UNNAMED,) else ', '.join(types)} in a text"
    if restores([[name.removeprefix(SECOND) for name in names] for names in columns]):
        return "Writes a text with its marks and capitals"
    return f"Tags the words of a text with {', '.join(columns[0])}"


def _first(is_of: Callable[[Sequence[str]], bool], names: list[list[str]]) -> int | None:
    """Return the number of the first label of a word whose tags are of a kind."""
    return next((column for column, tags in enumerate(names) if is_of(tags)), None)
