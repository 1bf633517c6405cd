"""Labelled spans are read from lines of jiant's form, or made from trees; what is wrong is named with its line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from data.errors import DataError
from data.sources.conllu import Sentence
from runner.errors import ConfigError
from runner.probing.edges.labelled import Edge, arcs_of, read_edges

LINE = {"text": "Ian ate strawberry ice cream", "info": {"source": "PropBank"}}
TARGETS = [
    {"span1": [1, 2], "span2": [0, 1], "label": "A0", "info": {}},
    {"span1": [1, 2], "span2": [2, 5], "label": ["A1", "food"]},
]


def write(path: Path, targets: object, count: int = 20) -> str:
    path.write_text("\n".join([json.dumps(LINE | {"targets": targets})] * count), encoding="utf-8")
    return str(path)


def test_a_file_is_read_as_jiant_has_it(tmp_path: Path) -> None:
    found = read_edges(write(tmp_path / "my-SRL.jsonl", TARGETS))
    assert found.name == "my_srl" and found.names == ("A0", "A1", "food")
    assert {which: len(one) for which, one in found.splits.items()} == {"train": 16, "select": 2, "report": 2}
    assert found.splits["report"][0].edges == (
        Edge(((1, 2), (0, 1)), ("A0",)),
        Edge(((1, 2), (2, 5)), ("A1", "food")),
    )
    assert len(found.limited(10).splits["train"]) == 2


def test_a_text_may_contain_a_line_separator(tmp_path: Path) -> None:
    line = json.dumps({"text": "Ian\u2028ate \x85 cake", "targets": TARGETS[:1]}, ensure_ascii=False)
    other = line.replace("A0", "A1")
    (tmp_path / "a.jsonl").write_text("\r\n".join([line, other] * 10), encoding="utf-8")
    assert read_edges(str(tmp_path / "a.jsonl")).splits["report"][0].words == ("Ian", "ate", "cake")


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ({"span1": [4, 6], "label": "A"}, r"line 1 .*span \[4, 6\] does not lie in a text of 5 words.*an object like"),
        ({"span1": [2, 2], "label": "A"}, r"span \[2, 2\] does not lie"),
        ({"span1": "1-2", "label": "A"}, "span '1-2' is not a pair"),
        ({"span1": [1, 2]}, "line 1 .*label"),
        ({"span1": [1, 2], "label": 7}, "label 7 is neither a text"),
        ({"span2": [1, 2]} | {"label": "A", "span1": None, "span2": None}, "no span1"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, target: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_edges(write(tmp_path / "a.jsonl", [target]))


def test_files_that_no_probe_can_learn_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="1 labels"):
        read_edges(write(tmp_path / "a.jsonl", TARGETS[:1]))
    with pytest.raises(DataError, match="edges of 1 and 2 spans"):
        read_edges(write(tmp_path / "a.jsonl", [*TARGETS, {"span1": [0, 1], "label": "N"}]))
    (tmp_path / "b.jsonl").write_text("[1]\n" * 12, encoding="utf-8")
    with pytest.raises(DataError, match=r"b\.jsonl line 1 .*an object like"):
        read_edges(str(tmp_path / "b.jsonl"))
    with pytest.raises(ConfigError, match="no such file or folder"):
        read_edges(str(tmp_path / "none.jsonl"))


def test_an_arc_is_a_word_and_its_head_and_the_root_has_none() -> None:
    one = Sentence(("dogs", "bark"), ("NOUN", "VERB"), ({}, {}), (1, -1), ("nsubj:outer", "root"))
    (made,) = arcs_of({"train": [one]}).splits["train"]
    assert made.edges == (Edge(((0, 1), (1, 2)), ("nsubj",)),)
