from __future__ import annotations

from pathlib import Path

from data.load import Rows, read_rows
from data.stores.build_once import SharedCache
from data.text_facts import sample_columns
from runner.best.plan.facts import read_facts
from tests.runner.best.conftest import settings_of


def test_the_facts_are_those_of_the_rows(demo_rows: Rows, shared_cache: SharedCache) -> None:
    facts = read_facts(demo_rows, shared_cache)
    assert (facts.train_rows, facts.classes, facts.is_pair, facts.is_cut) == (400, 2, False, False)
    assert facts.smallest_class == 200 and facts.majority == 0.5 and facts.scripts == ("LATIN",) and facts.has_spaces
    assert 5 < facts.words_median <= facts.words_p95 < 100
    assert facts == read_facts(demo_rows, shared_cache)


def test_pairs_are_pairs(pair_rows: Rows, shared_cache: SharedCache) -> None:
    assert read_facts(pair_rows, shared_cache).is_pair
    assert {len(cells) for cells in sample_columns(pair_rows.raw.splits["train"], 50)} == {2}


def test_texts_without_spaces_have_as_many_tokens_as_letters(tmp_path: Path, shared_cache: SharedCache) -> None:
    lines = [f"这部电影非常好看{number},{number % 2}" for number in range(60)]
    (tmp_path / "rows.csv").write_text("\n".join(["text,label", *lines]) + "\n", encoding="utf-8")
    words = ["data=files", f"data.path={tmp_path / 'rows.csv'}", "data.text=text", "data.label=label"]
    facts = read_facts(read_rows(settings_of(*words).data, shared_cache), shared_cache)
    assert facts.words_p95 == 1 and facts.tokens_p95 == 10 and not facts.has_spaces
