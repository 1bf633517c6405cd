"""Settings that rankings forbid are refused before anything is read, with the cure."""

from __future__ import annotations

import pytest

from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.errors import ConfigError

FILES = ["data.queries=q.tsv", "data.corpus=d.tsv", "data.qrels=qrels.txt", "data.candidates=run.txt"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["data=sst2", "task=rank"], r"data.group=<the column of the query's id"),
        (["data=mrpc", "task=rank", "data.group=shared_text"], "nothing says which"),
        (["data=sst2", "task=rank", "data.group=id"], r"data.text_pair=<the column of the document>"),
        (["data=files", "task=rank", *FILES[:2]], r"the collection also needs qrels and candidates"),
        (["data=files", "task=rank", *FILES, "data.path=x.csv"], "data.path names rows of a file, and data.queries"),
        (["data=cranfield", "data.group=id"], "data.group=id: a collection already says"),
        (
            ["task=rank", "compression=[distil]", "compression.distil.teacher=x", "compression.distil.unlabelled=y"],
            "compression.distil.unlabelled=y: these texts belong to no query",
        ),
        (["task=rank", "compression=[exits]"], r"of different exits are not comparable. Try: 'compression=\[int8\]'"),
        (
            ["data=sst2", "compression=[distil]", "compression.distil.teacher=x", "compression.distil.soft=margin_mse"],
            "compression.distil.soft=margin_mse compares documents of a query",
        ),
        (["data=sst2", "train.loss=listwise"], "train.loss=listwise: the task classification has one loss"),
    ],
)
def test_settings_that_contradict_a_ranking_are_refused(words: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        resolve(compose(["model=bert-tiny", "model.pretrained=null", *words]))


@pytest.mark.parametrize("words", [["data=cranfield"], ["data=wikiqa", "task=rank"], ["task=rank"], []])
def test_settings_that_suit_a_ranking_are_accepted(words: list[str]) -> None:
    words = words or ["data=files", "task=rank", *FILES]
    found = resolve(compose(["model=bert-tiny", "model.pretrained=null", *words, "train.loss=listwise"]))
    assert found.data.text_pair is not None and found.data.task == "rank"
