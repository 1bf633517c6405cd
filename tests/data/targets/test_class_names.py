"""Class names that the user gives: mapped by order or by value, refused where that is unclear."""

from __future__ import annotations

from typing import Any

import pytest

from data.errors import DataError
from data.settings import normalize_label_names
from data.targets.class_names import name_classes
from runner.config.check import check_overrides
from runner.config.compose import compose
from runner.config.resolve import resolve


@pytest.mark.parametrize(
    ("given", "ids", "names"),
    [
        (["neg", "pos"], {"0": 0, "1": 1}, ("neg", "pos")),
        ({"1": "pos", "0": "neg"}, {"0": 0, "1": 1}, ("neg", "pos")),
        ({"0.0": "neg", "1.0": "pos"}, {"0": 0, "1": 1}, ("neg", "pos")),
        (["1", "0"], {"0": 1, "1": 0}, ("1", "0")),
        (None, {"0": 0, "1": 1}, ("0", "1")),
    ],
)
def test_names_map_by_order_or_by_value(given: Any, ids: dict[str, int], names: tuple[str, ...]) -> None:
    assert name_classes(given, ["0", "1"], "train.csv") == (ids, names)


def test_names_in_another_case_are_the_values_too() -> None:
    assert name_classes(["POS", "NEG"], ["neg", "pos"], "d") == ({"pos": 0, "neg": 1}, ("POS", "NEG"))
    assert name_classes(["A", "a"], ["a", "A"], "d") == ({"A": 0, "a": 1}, ("A", "a"))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["a"], "has 1 names (a), but the labels of train.csv have 2 values (neg, pos)"),
        (["a", "b", "c"], "has 3 names"),
        (["a", "a"], "'a' names two classes"),
        ({"neg": "a", "pos": "a"}, "'a' names two classes"),
        ({"neg": "a"}, "has no name for pos"),
        ({"neg": "a", "pos": "b", "so-so": "c"}, "'so-so' is not a label of train.csv (labels: neg, pos)"),
        (["pos", "bad"], "unclear which is which"),
    ],
)
def test_names_that_do_not_fit_are_refused_with_a_mapping_to_paste(given: Any, expected: str) -> None:
    with pytest.raises(DataError) as raised:
        name_classes(given, ["neg", "pos"], "train.csv")
    assert expected in str(raised.value)
    assert "Try: 'data.label_names={neg: <name 1>, pos: <name 2>}'" in str(raised.value)


def test_a_mapping_is_a_setting_like_a_list() -> None:
    for words, expected in (
        ("data.label_names={0: neg, 1: pos}", {"0": "neg", "1": "pos"}),
        ("data.label_names={false: no, true: yes}", {"False": "no", "True": "yes"}),
        ("data.label_names=[0,1]", ["0", "1"]),
        ("data.label_names={}", []),
        ("data.label_names=null", []),
    ):
        assert check_overrides([words]) == [] and resolve(compose([words])).data.label_names == expected
    assert "Try: 'data.label_names=[negative,positive]'" in check_overrides(["data.label_names=5"])[0]
    with pytest.raises(DataError):
        normalize_label_names([["a"], "b"])
