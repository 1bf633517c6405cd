"""Which scheme tags follow, their conversion to IOB2, and the entities in them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from data.targets.tag_schemes import (
    Scheme,
    detect_scheme,
    entity_types,
    find_entities,
    is_plain,
    split_tag,
    to_iob2,
)

Rows = list[list[str]]
NAMES = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
Found = list[tuple[str, int, int]]


def encode(rows: Rows, names: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    flat = np.array([names.index(tag) for row in rows for tag in row], dtype=np.int64)
    return flat, np.cumsum([0, *map(len, rows)])


def entities(rows: Rows, names: tuple[str, ...], *, strict: bool = False) -> Found:
    found = find_entities(*encode(rows, names), names, strict=strict)
    types = entity_types(names)
    return [(types[k], int(a), int(b)) for k, a, b in zip(found.entity_type, found.first, found.last)]


def scheme_of(rows: Rows, names: tuple[str, ...]) -> Scheme:
    return detect_scheme(*encode(rows, names), names)


def converted(rows: Rows, names: tuple[str, ...]) -> list[str]:
    scheme = scheme_of(rows, names)
    return [scheme.names[i] for i in to_iob2(*encode(rows, names), names, scheme)]


def test_entities_of_a_row() -> None:
    assert entities([["B-PER", "I-PER", "O", "B-LOC"]], NAMES) == [("PER", 0, 1), ("LOC", 3, 3)]
    assert entities([["B-PER", "B-PER", "I-LOC", "I-LOC"]], NAMES) == [("PER", 0, 0), ("PER", 1, 1), ("LOC", 2, 3)]


def test_entities_never_cross_a_row() -> None:
    assert entities([["B-PER"], ["I-PER"]], NAMES) == [("PER", 0, 0), ("PER", 1, 1)]
    assert entities([["B-PER"], [], ["I-PER"]], NAMES, strict=True) == [("PER", 0, 0)]
    assert entities([[], ["O"]], NAMES) == []


def test_strict_reading_leaves_out_what_is_not_legal_in_iob2() -> None:
    rows = [["I-PER", "I-PER", "O", "B-LOC", "I-PER", "I-PER"]]
    assert entities(rows, NAMES) == [("PER", 0, 1), ("LOC", 3, 3), ("PER", 4, 5)]
    assert entities(rows, NAMES, strict=True) == [("LOC", 3, 3)]


def test_iob2_is_recognised_and_kept() -> None:
    rows = [["B-PER", "I-PER", "O", "B-LOC"]]
    scheme = scheme_of(rows, NAMES)
    assert (scheme.name, scheme.names) == ("IOB2", NAMES)
    assert converted(rows, NAMES) == rows[0]


def test_iob1_is_recognised_by_an_entity_that_begins_with_i_after_o() -> None:
    names = ("B-LOC", "I-LOC", "I-PER", "O")
    rows = [["O", "I-PER", "I-PER", "I-LOC", "B-LOC", "I-LOC"]]
    scheme = scheme_of(rows, names)
    assert scheme.name == "IOB1"
    assert "3 of 4" not in scheme.note
    assert "2 of 3 entities" in scheme.note
    assert scheme.names == ("O", "B-LOC", "I-LOC", "B-PER", "I-PER"), "O first, then the types in their own order"
    assert converted(rows, names) == ["O", "B-PER", "I-PER", "B-LOC", "B-LOC", "I-LOC"]


def test_iob1_and_its_conversion_have_the_same_entities() -> None:
    generator = np.random.default_rng(0)
    rows = [[NAMES[i] for i in generator.integers(5, size=size)] for size in generator.integers(0, 9, size=300)]
    back = converted(rows, NAMES)
    at = np.cumsum([0, *map(len, rows)])
    again = [back[a:b] for a, b in itertools.pairwise(at)]
    assert entities(again, NAMES) == entities(rows, NAMES) == entities(again, NAMES, strict=True)


@pytest.mark.parametrize(("end", "single"), [("E", "S"), ("L", "U")])
def test_iobes_and_bilou_are_converted(end: str, single: str) -> None:
    names = ("O", "B-PER", "I-PER", f"{end}-PER", f"{single}-PER")
    rows = [["B-PER", "I-PER", f"{end}-PER", f"{single}-PER", "O", f"{single}-PER", "I-PER"]]
    assert scheme_of(rows, names).name == "IOBES"
    assert converted(rows, names) == ["B-PER", "I-PER", "I-PER", "B-PER", "O", "B-PER", "B-PER"]


def test_tags_without_a_prefix_are_plain_and_that_is_said() -> None:
    rows = [["O", "PER", "LOC"]]
    scheme = scheme_of(rows, ("LOC", "O", "PER"))
    assert (scheme.name, scheme.names) == ("plain", ("O", "LOC", "PER"))
    assert "LOC, PER" in scheme.note
    assert "not entities" in scheme.note
    assert converted(rows, ("LOC", "O", "PER")) == rows[0]


def test_tags_that_fit_no_scheme_of_entities_are_plain() -> None:
    assert is_plain(("O",))
    assert is_plain(("O", "COMMA"))
    assert is_plain(("O", "B-PER", "PER"))
    assert not is_plain(("O", "B-PER"))
    assert not is_plain(("B", "I", "O"))


def test_a_type_may_hold_a_dash_and_may_be_missing() -> None:
    assert split_tag("B-creative-work") == (1, "creative-work")
    assert split_tag("I") == (2, "_")
    assert split_tag("B-") is None
    assert split_tag("E") is None
