"""Tags as numbers: their order, their conversion, and tags that the training rows do not have."""

from __future__ import annotations

import numpy as np
import pytest

from data.errors import DataError
from data.sources.tagged import TagColumn
from data.targets.tag_labels import encode_tags, learn_scheme, refuse_odd_tags
from data.targets.tag_schemes import Scheme

Rows = list[list[str]]


def column(rows: Rows, names: tuple[str, ...] = ()) -> tuple[TagColumn, np.ndarray]:
    found = TagColumn("data.tags=ner", names)
    for row in rows:
        found.add(row)
    return found, np.cumsum([0, *map(len, rows)])


def encode(rows: Rows, scheme: Scheme) -> list[str]:
    tags, offsets = column(rows)
    found = encode_tags(tags, offsets, scheme, "test.conll", np.arange(1, len(rows) + 1) * 10)
    return [scheme.names[i] for i in found]


def test_types_are_in_alphabetical_order_without_a_list() -> None:
    scheme = learn_scheme(*column([["B-PER", "O"], ["B-LOC", "I-LOC"]]))
    assert scheme.names == ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")


def test_types_keep_the_order_of_the_datasets_own_list() -> None:
    names = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-ORG", "I-ORG")
    assert learn_scheme(*column([["B-LOC", "O"]], names)).names == names


def test_the_user_may_name_tags_and_their_order() -> None:
    rows = [["B-PER", "O"]]
    given = ["O", "B-ORG", "B-PER"]
    assert learn_scheme(*column(rows), given).names == ("O", "B-ORG", "I-ORG", "B-PER", "I-PER")
    with pytest.raises(DataError, match=r"lacks the tag 'B-PER'.*Try: data.label_names=\[O,B-ORG,B-PER\]"):
        learn_scheme(*column(rows), ["O", "B-ORG"])
    with pytest.raises(DataError, match="has 'O' twice"):
        learn_scheme(*column(rows), ["O", "O", "B-PER"])


def test_a_tag_without_training_rows_is_refused_with_its_count() -> None:
    scheme = learn_scheme(*column([["B-PER", "O"]]))
    with pytest.raises(DataError) as error:
        encode([["O"], ["B-ORG", "I-ORG", "O", "I-ORG"]], scheme)
    assert "test.conll: the tag 'B-ORG' (data.tags=ner) occurs 1 times, first in row 20" in str(error.value)
    assert "data.label_names=[O,B-PER,I-PER,B-ORG]" in str(error.value)
    allowed = learn_scheme(*column([["B-PER", "O"]]), ["O", "B-PER", "B-ORG"])
    assert encode([["B-ORG", "I-ORG", "O"]], allowed) == ["B-ORG", "I-ORG", "O"]


def test_a_tag_of_a_known_type_needs_no_training_row() -> None:
    scheme = learn_scheme(*column([["B-PER", "O"]]))
    assert encode([["B-PER", "I-PER"], ["O"]], scheme) == ["B-PER", "I-PER", "O"]


def test_every_split_is_converted() -> None:
    scheme = learn_scheme(*column([["I-PER", "I-PER", "B-PER", "O"]]))
    assert scheme.name == "IOB1"
    assert encode([["I-PER", "O", "I-PER"], ["I-PER"]], scheme) == ["B-PER", "O", "B-PER", "B-PER"]


def test_plain_tags_have_the_one_of_nothing_first() -> None:
    scheme = learn_scheme(*column([["PERIOD", "O", "COMMA"]]))
    assert scheme.names == ("O", "COMMA", "PERIOD")
    assert encode([["COMMA", "O"]], scheme) == ["COMMA", "O"]


def test_a_few_tags_that_mark_no_entity_are_refused_with_their_row() -> None:
    found = column([["B-PER", "I-PER"], ["O", "b-PER", "I-PER"]])
    with pytest.raises(DataError) as error:
        refuse_odd_tags(*found, "ner.conll", np.array([10, 20]))
    assert "the tag 'b-PER' (data.tags=ner, first in row 20) fits no scheme of entities" in str(error.value)
    assert "(words with such tags: 1, with tags that fit: 3)" in str(error.value)
    assert str(error.value).endswith("'data.label_names=[B-PER,I-PER,O,b-PER]'")


@pytest.mark.parametrize("rows", [[["B-PER", "O"]], [["NOUN", "VERB", "B"]], [["B-PER", "X", "X"]], [["O", "COMMA"]]])
def test_tags_of_one_kind_are_not_refused(rows: Rows) -> None:
    refuse_odd_tags(*column(rows), "ner.conll", np.array([10]))


def test_one_tag_for_all_words_is_refused() -> None:
    with pytest.raises(DataError, match="have the tag 'O'; there is nothing to learn"):
        learn_scheme(*column([["O", "O"]]))


@pytest.mark.parametrize(
    ("names", "given"),
    [(("O", "COMMA", "PERIOD"), ["O", "COMMA"]), (("O", "B-PER", "I-PER", "B-ORG", "I-ORG"), ["O", "B-PER", "I-PER"])],
)
def test_tags_that_no_word_has_may_be_left_out(names: tuple[str, ...], given: list[str]) -> None:
    tags, offsets = column([[names[0], names[1]]], names)
    scheme = learn_scheme(tags, offsets, given)
    assert scheme.names == tuple(given)
    assert encode_tags(tags, offsets, scheme, "test.conll", np.array([1])).tolist() == [0, 1]
