"""Tagging schemes for entities: detects the scheme of the training tags and converts them to IOB2.

A tag is O, or a prefix and a type: B-PER begins a person, I-PER continues it. IOB2 begins every entity with B-; IOB1
only an entity that follows another of its type; IOBES also marks the last word (E-) and one-word entities (S-), as
BILOU does with L- and U-. Tags with other prefixes are plain tags: they mark words, not entities. A tagger's bundle has
a copy of this file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

OUTSIDE = "O"
NOTHING = ("O", "non", "none", "LOWER")  # names of the tag for words with nothing to mark
SECOND = "second_"  # prefix of a tag of the second label if the first label has a tag of the same name
UNNAMED = "_"  # the type of the bare tags B and I
_OUT, _BEGIN, _INSIDE, _END, _SINGLE = range(5)
_PREFIXES = {"B": _BEGIN, "I": _INSIDE, "E": _END, "L": _END, "S": _SINGLE, "U": _SINGLE}


@dataclass(frozen=True)
class Entities:
    """The entities of a sequence of words, in order."""

    first: np.ndarray  # (E,) int64: index of the first word
    last: np.ndarray  # (E,) int64: index of the last word
    entity_type: np.ndarray  # (E,) int64: index of the type


def split_tag(tag: str) -> tuple[int, str] | None:
    """Return a tag's prefix, as a number, and its type; None for a plain tag."""
    if tag == OUTSIDE:
        return _OUT, ""
    prefix, dash, entity_type = tag.partition("-")
    if prefix not in _PREFIXES or (dash and not entity_type) or (not dash and prefix not in ("B", "I")):
        return None
    return _PREFIXES[prefix], entity_type or UNNAMED


def is_plain(names: Sequence[str]) -> bool:
    """Return whether these tags mark words, not entities: some tag fits no scheme, or no tag begins an entity."""
    parts = [split_tag(name) for name in names]
    return None in parts or not any(part and part[0] for part in parts)


def entity_types(names: Sequence[str]) -> tuple[str, ...]:
    """Return the types of entities in the order of the tags' names; () for plain tags."""
    if is_plain(names):
        return ()
    types = [part[1] for name in names if (part := split_tag(name))]
    return tuple(dict.fromkeys(entity_type for entity_type in types if entity_type))


def row_starts(offsets: np.ndarray) -> np.ndarray:
    """Return which words begin a row, (words,) bool; offsets: (rows + 1,) where rows begin and the last ends."""
    starts = np.zeros(int(offsets[-1]) + 1, dtype=bool)
    starts[offsets] = True
    return starts[:-1]


def find_entities(tags: np.ndarray, offsets: np.ndarray, names: Sequence[str], *, strict: bool = False) -> Entities:
    """Return the entities of tagged rows; no entity crosses a row boundary.

    tags: (words,) ids into `names`; offsets: (rows + 1,); names: tags of a scheme. By default tags are read leniently,
    as conlleval and seqeval do: an I-X that does not continue an X begins an entity. strict: only valid IOB2 counts.
    """
    types = {entity_type: i for i, entity_type in enumerate(entity_types(names))}
    parts = [split_tag(name) or (_OUT, "") for name in names]
    prefix = np.array([part[0] for part in parts], np.int64)[tags]
    entity_type = np.array([types.get(part[1], -1) for part in parts], np.int64)[tags]
    starts = row_starts(offsets)
    before, type_before = np.roll(prefix, 1), np.roll(entity_type, 1)
    before[starts], type_before[starts] = _OUT, -1
    goes_on = (prefix != _OUT) & (entity_type == type_before) & ~np.isin(prefix, (_BEGIN, _SINGLE))
    goes_on &= ~np.isin(before, (_OUT, _END, _SINGLE))
    begins = (prefix != _OUT) & ~goes_on
    first = np.flatnonzero(begins)
    # An entity ends before the next word that does not continue it.
    stops = np.append(np.flatnonzero(~goes_on), len(tags))
    last = stops[np.searchsorted(stops, first, side="right")] - 1
    if strict:
        legal = prefix[first] == _BEGIN
        first, last = first[legal], last[legal]
    return Entities(first, last, entity_type[first])


@dataclass(frozen=True)
class Scheme:
    """The scheme of the training tags, and the tag names after conversion."""

    name: str  # IOB2 | IOB1 | IOBES | plain
    names: tuple[str, ...]  # in id order: O first, then B- and I- of each type; plain tags: their original names
    note: str = ""  # for the user


def detect_scheme(tags: np.ndarray, offsets: np.ndarray, names: Sequence[str], what: str = "the tags") -> Scheme:
    """Detect the scheme of the training tags; any entity that begins with I- means IOB1.

    tags: (words,) ids into `names`, the data set's own list; what: the tags' name in messages.
    """
    if is_plain(names):
        return Scheme("plain", _nothing_first(names), _plain_note(names, what))
    parts = [split_tag(name) for name in names]
    order = [OUTSIDE, *(f"{p}-{entity_type}" for entity_type in entity_types(names) for p in "BI")]
    if any(part and part[0] in (_END, _SINGLE) for part in parts):
        return Scheme("IOBES", tuple(order), f"{what} are IOBES; they were converted to IOB2")
    found = find_entities(tags, offsets, names)
    prefix = np.array([part[0] for part in parts if part], np.int64)[tags[found.first]]
    if inside := int((prefix == _INSIDE).sum()):
        shown = f"{inside:,} of {len(found.first):,} entities of the training rows begin with I-"
        return Scheme("IOB1", tuple(order), f"{what} are IOB1 ({shown}); they were converted to IOB2")
    return Scheme("IOB2", tuple(order), f"{what} are IOB2")


def to_iob2(tags: np.ndarray, offsets: np.ndarray, names: Sequence[str], scheme: Scheme) -> np.ndarray:
    """Return the tags as ids into `scheme.names`: entities are read leniently and written as IOB2, plain tags kept.

    tags: (words,) ids into `names`. `names` may have tags that `scheme` lacks, as long as no word has them.
    """
    ids = {name: i for i, name in enumerate(scheme.names)}
    if scheme.name == "plain":
        return np.array([ids.get(name, 0) for name in names], np.int64)[tags]
    found, types = find_entities(tags, offsets, names), entity_types(names)
    begin = np.array([ids.get(f"B-{entity_type}", 0) for entity_type in types], np.int64)[found.entity_type]
    inside = np.array([ids.get(f"I-{entity_type}", 0) for entity_type in types], np.int64)[found.entity_type]
    converted = np.zeros(len(tags), np.int64)
    counts = found.last - found.first + 1
    ends = np.cumsum(counts)
    places = np.arange(int(counts.sum())) + np.repeat(found.first - (ends - counts), counts)
    converted[places] = np.repeat(inside, counts)
    converted[found.first] = begin
    return converted


def _nothing_first(names: Sequence[str]) -> tuple[str, ...]:
    """Return plain tags with the "nothing to mark" tag first, if there is one."""
    first = next((name for name in NOTHING if name in names), None)
    return tuple(names) if first is None else (first, *(name for name in names if name != first))


def _plain_note(names: Sequence[str], what: str) -> str:
    """Return the note on plain tags."""
    odd = [name for name in names if split_tag(name) is None]
    shown = f"{', '.join(odd[:5])}{', ...' if len(odd) > 5 else ''}"
    ids = "" if not all(map(str.isdigit, names)) else ". If they are ids: 'data.label_names=[O,B-PER,I-PER]', by id"
    return f"{what} have no B- or I- ({shown}): words are scored, not entities{ids}" if odd else ""
