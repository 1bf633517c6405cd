"""Answer texts: every value is what SQuAD's official script of version 2 gives."""

from __future__ import annotations

import pytest

from runner.statistics.span_texts import exact_match, normalise, token_f1

TABLE = [  # prediction, right answers, exact match, F1
    ("The  Denver Broncos!", ["Denver Broncos"], 1, 1),
    ("24–10", ["24-10"], 0, 0),  # an en dash is no ASCII punctuation
    ("U.S.", ["US"], 1, 1),
    ("$1,000", ["1000"], 1, 1),
    ("it's", ["its"], 1, 1),
    ("an-other", ["another"], 1, 1),
    ("café", ["cafe"], 0, 0),
    ("İstanbul", ["istanbul"], 0, 0),
    ("Denver Broncos", ["Carolina Panthers", "The Broncos"], 0, 0.666667),
    ("big big dog", ["big dog dog"], 0, 0.666667),
    ("Saint Bernadette Soubirous", ["Bernadette Soubirous in Lourdes"], 0, 0.571429),
    ("", [], 1, 1),
    ("", ["x"], 0, 0),
    ("x", [], 0, 0),
    ("“quoted”", ["quoted"], 0, 0),
]


@pytest.mark.parametrize(("prediction", "golds", "exact", "f1"), TABLE)
def test_values_are_those_of_the_official_script(prediction: str, golds: list[str], exact: float, f1: float) -> None:
    assert exact_match(prediction, golds, v2=True) == exact
    assert token_f1(prediction, golds, v2=True) == pytest.approx(f1, abs=5e-7)
    if golds:
        assert exact_match(prediction, golds, v2=False) == exact
        assert token_f1(prediction, golds, v2=False) == pytest.approx(f1, abs=5e-7)


def test_texts_that_normalise_to_nothing_are_equal_in_version_2_alone() -> None:
    assert [exact_match("a an the", ["the"], v2=v2) for v2 in (True, False)] == [1, 1]
    assert [token_f1("a an the", ["the"], v2=v2) for v2 in (True, False)] == [1, 0]


def test_version_2_leaves_out_right_answers_that_normalise_to_nothing() -> None:
    assert exact_match("the", ["the", "x"], v2=True) == 0
    assert exact_match("the", ["the", "x"], v2=False) == 1


def test_punctuation_goes_before_articles() -> None:
    assert normalise(" The-end,  of a (an) Era\t") == "theend of era"
