from __future__ import annotations

import pytest

from data.load import Rows
from data.stores.build_once import SharedCache
from runner.best.plan.facts import new_word_share, read_facts, sample_columns, scripts_of, words_of


def test_the_facts_are_those_of_the_rows(demo_rows: Rows, shared_cache: SharedCache) -> None:
    facts = read_facts(demo_rows, shared_cache)
    assert (facts.train_rows, facts.classes, facts.is_pair, facts.is_cut) == (400, 2, False, False)
    assert facts.smallest_class == 200 and facts.majority == 0.5 and facts.scripts == ("LATIN",) and facts.has_spaces
    assert 5 < facts.words_median <= facts.words_p95 < 100
    assert facts == read_facts(demo_rows, shared_cache)


def test_pairs_are_pairs(pair_rows: Rows, shared_cache: SharedCache) -> None:
    assert read_facts(pair_rows, shared_cache).is_pair
    assert {len(cells) for cells in sample_columns(pair_rows.raw.splits["train"], 50)} == {2}


def test_a_sample_is_spread_over_all_rows(demo_rows: Rows) -> None:
    train = demo_rows.raw.splits["train"]
    whole, some = list(sample_columns(train)), list(sample_columns(train, 10))
    assert len(some) == 10 and some[0] == whole[0] and some[-1] == whole[-1]


@pytest.mark.parametrize(
    ("text", "scripts"),
    [("Ölü bir gün", ("LATIN",)), ("это кот", ("CYRILLIC",)), ("我爱你", ("CJK",)), ("12 !?", ())],
)
def test_scripts_are_named_by_their_letters(text: str, scripts: tuple[str, ...]) -> None:
    assert scripts_of([text]) == scripts


def test_new_words_count_as_often_as_they_occur() -> None:
    assert new_word_share(["A cat", "a dog dog"], words_of(["a cat"])) == pytest.approx(2 / 5)
    assert new_word_share([], {"a"}) == 0
