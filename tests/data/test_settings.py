"""Settings of a dataset: which split selects, which scores a task has, names as YAML reads them."""

from __future__ import annotations

from typing import Any

import pytest

from data.errors import DataError
from data.settings import DataSettings, normalize_label_names, split_names


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"source": "hub", "report_splits": {"test": "test"}}, ("val", ["test"])),
        ({"source": "hub", "report_splits": {"val": "validation"}}, ("tune", ["val"])),
        ({"source": "hub", "report_splits": {"val": "validation"}, "split": "train"}, ("val", ["test"])),
        ({"source": "files"}, ("val", ["test"])),
    ],
)
def test_the_split_that_selects_is_another_than_those_reported(
    settings: dict[str, Any], expected: tuple[str, list[str]]
) -> None:
    assert split_names(DataSettings(**settings)) == expected


def test_names_are_text_whatever_yaml_took_them_for() -> None:
    assert normalize_label_names(None) == []
    assert normalize_label_names([1, True, "a"]) == ["1", "True", "a"]
    assert normalize_label_names({0: "neg", 1: 2}) == {"0": "neg", "1": "2"}


def test_names_may_be_a_text_as_a_command_line_has_no_other_keys_than_ascii() -> None:
    assert normalize_label_names("{öfke: anger, no: joy}") == {"öfke": "anger", "no": "joy"}
    assert normalize_label_names('{"öfke": "a, b"}') == {"öfke": "a, b"}
    assert normalize_label_names("[1, é]") == ["1", "é"]


@pytest.mark.parametrize("given", ["neg", "{neg", "{neg: [pos]}", 3, [["neg"]], {"a": ["b"]}, [None]])
def test_anything_else_as_names_is_refused_with_examples(given: Any) -> None:
    with pytest.raises(DataError, match=r"Try: 'data\.label_names=\[negative,positive\]'"):
        normalize_label_names(given)
