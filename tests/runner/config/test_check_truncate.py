"""Rows from whose middle no tokens can be left out."""

from __future__ import annotations

import pytest

from runner.config.check import check_overrides
from runner.config.compose import compose
from runner.config.resolve import resolve

MIDDLE = "data.truncate=middle"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["task=mlm", "model=bert-tiny", "data=demo"], "task=mlm reads long texts whole. Try: data.truncate=end"),
        (["task=tags", "model=bert-tiny", "data=demo", "data.demo_task=tags"], "task=tags reads long texts whole"),
        (["model=bert-tiny", "data=squad"], "task=span reads long texts whole"),
        (["model=tiny-sound", "data=esc10"], "is for texts, but data.audio="),
        (["model=ngram", "model.whole=false", "data=demo"], "model=ngram reads words. Try: model.whole=true"),
    ],
)
def test_rows_of_another_kind_are_refused(words: list[str], message: str) -> None:
    assert message in "\n".join(check_overrides([*words, MIDDLE]))


def test_a_typo_is_told_the_values() -> None:
    assert "middle" in "\n".join(check_overrides(["model=dsn", "data=demo", "data.truncate=midle"]))


@pytest.mark.parametrize("data", ["demo", "demo-pairs"])
def test_encoders_of_texts_and_of_pairs_take_it(data: str) -> None:
    assert check_overrides(["model=bert-tiny", f"data={data}", MIDDLE]) == []


def test_ngrams_of_whole_texts_are_the_same_run_with_and_without() -> None:
    found = [resolve(compose(["model=ngram", "data=demo", *more])) for more in ([], [MIDDLE])]
    assert found[0] == found[1]
