"""Settings of the data that tagging words forbids, each with its cure."""

from __future__ import annotations

from typing import Any

import pytest

from data.settings import DataSettings
from runner.tasks.tag_conflicts import tag_conflicts

CASES: list[tuple[dict[str, Any], str]] = [
    ({"tokens": "0", "tags": ["ner_tags"]}, "columns have numbers in a CoNLL file"),
    ({"tokens": "words", "tags": ["words"]}, "name the column words twice"),
    ({"tokens": "words", "tags": ["ner", "ner"]}, "name the column ner twice"),
    ({"tokens": "words", "tags": ["a", "b", "c"]}, "at most two labels. Try: 'data.tags=[a,b]'"),
    ({"tokens": "words", "tags": ["ner"], "text": "body"}, "data.text=body is not read"),
    ({"tokens": "words", "tags": ["ner"], "label": "kind"}, "data.label=kind: labels of words belong in data.tags"),
    ({"source": "demo", "label": "kind"}, "belong in data.tags. Leave it out"),
    ({"tags": ["ner"]}, "needs a column of words and one of tags"),
    ({"tokens": "words"}, "Try: data.tokens=tokens data.tags=ner_tags, or for the columns of a CoNLL file"),
    ({"source": "hub", "name": "snli", "text_pair": "hypothesis"}, "data=snli does not name both. Try: data=wnut17"),
]


@pytest.mark.parametrize(("given", "expected"), CASES)
def test_columns_that_contradict_each_other_are_refused_in_one_line(given: dict[str, Any], expected: str) -> None:
    (line,) = tag_conflicts(DataSettings(**{"name": "files", "source": "files", **given}))
    assert expected in line


def test_columns_by_number_and_by_name_are_fine() -> None:
    for tokens, tags in (("0", ["-1"]), ("0", ["1", "2"]), ("words", ["ner"])):
        assert not tag_conflicts(DataSettings(name="files", source="files", tokens=tokens, tags=tags))
