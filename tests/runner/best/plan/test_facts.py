from __future__ import annotations

from data.load import Rows
from data.stores.build_once import SharedCache
from data.text_facts import sample_columns
from runner.best.plan.facts import read_facts


def test_the_facts_are_those_of_the_rows(demo_rows: Rows, shared_cache: SharedCache) -> None:
    facts = read_facts(demo_rows, shared_cache)
    assert (facts.train_rows, facts.classes, facts.is_pair, facts.is_cut) == (400, 2, False, False)
    assert facts.smallest_class == 200 and facts.majority == 0.5 and facts.scripts == ("LATIN",) and facts.has_spaces
    assert 5 < facts.words_median <= facts.words_p95 < 100
    assert facts == read_facts(demo_rows, shared_cache)


def test_pairs_are_pairs(pair_rows: Rows, shared_cache: SharedCache) -> None:
    assert read_facts(pair_rows, shared_cache).is_pair
    assert {len(cells) for cells in sample_columns(pair_rows.raw.splits["train"], 50)} == {2}
