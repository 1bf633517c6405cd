"""Words and scripts of texts, and the rows in which they are counted."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from data.labels import Labels
from data.sources.raw import RawSplit
from data.text_facts import (
    find_words,
    new_word_share,
    sample_columns,
    sample_rows,
    sample_texts,
    script_shares,
    scripts_of,
    words_of,
)


def split_of(**columns: list[str]) -> RawSplit:
    count = len(next(iter(columns.values())))
    return RawSplit(pa.table(columns), Labels(np.zeros(count, np.int64)), np.arange(count), np.arange(count) + 1)


def test_a_sample_is_spread_over_all_rows() -> None:
    split = split_of(text=[str(row) for row in range(50)])
    assert [text for (text,) in sample_columns(split, 3)] == ["0", "24", "49"]
    assert len(list(sample_columns(split))) == 50
    assert sample_rows(0).tolist() == []


def test_the_texts_of_a_pair_count_as_one() -> None:
    pair = split_of(text=["a b", "c"], text_pair=["d", "e f"])
    assert list(sample_texts(pair)) == ["a b d", "c e f"]


def test_words_are_in_lower_case() -> None:
    assert find_words("A Cat a DOG") == ["a", "cat", "a", "dog"]


def test_scripts_have_their_share_of_the_letters() -> None:
    assert script_shares(["abc ж 12"]) == {"LATIN": 0.75, "CYRILLIC": 0.25}
    assert script_shares(["12 !"]) == {}


@pytest.mark.parametrize(
    ("text", "scripts"),
    [("Ölü bir gün", ("LATIN",)), ("это кот", ("CYRILLIC",)), ("我爱你", ("CJK",)), ("12 !?", ())],
)
def test_scripts_are_named_by_their_letters(text: str, scripts: tuple[str, ...]) -> None:
    assert scripts_of([text]) == scripts


def test_new_words_count_as_often_as_they_occur() -> None:
    assert new_word_share(["A cat", "a dog dog"], words_of(["a cat"])) == pytest.approx(2 / 5)
    assert new_word_share([], {"a"}) == 0
