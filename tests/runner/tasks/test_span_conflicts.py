"""Settings that finding spans forbids, and those that it chooses."""

from __future__ import annotations

import pytest

from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.errors import ConfigError

FILES = ["task=span", "data=files", "data.path=questions.json"]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ([*FILES, "model=dsn"], "a bag of words: it knows which words a text has but not where they are"),
        ([*FILES, "model=ngram"], "model=ngram is a bag of words"),
        (["data=squad"], "model=dsn is a bag of words.*Try: model=bert-tiny"),
        ([*FILES, "model/readout=mean"], "model/readout=mean gives one vector for the text.*Try: model/readout=none"),
        ([*FILES, "model/readout=sum"], "model/readout=sum gives one vector for the text"),
        (["task=span"], "data=demo has no questions"),
        ([*FILES, "data.text_pair=null"], "names no contexts. Try: data.text=question data.text_pair=context"),
        ([*FILES, "data.tokens=words"], "for tagging words"),
        ([*FILES, "compression=[distil]", "compression.distil.teacher=a/b", "compression.distil.tokens=own"],
         "so both models must have the same tokens. Try: compression.distil.tokens=shared"),
        ([*FILES, "compression=[distil]", "compression.distil.teacher=a/b", "compression.distil.unlabelled=x.txt"],
         "texts without labels have no questions"),
    ],
)  # fmt: skip
def test_settings_that_contradict_spans_are_refused_with_the_cure(words: list[str], reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        resolve(compose(words))


def test_presets_read_every_token() -> None:
    assert resolve(compose(FILES)).model.readout == {"name": "none"}
    assert resolve(compose([*FILES, "model=bermo"])).model.readout["pooling"] == "tokens"
    named = [*FILES, "model=bert-tiny", "model/readout=adapter_pool"]
    assert resolve(compose(named)).model.readout["pool"] == "tokens"


def test_questions_about_a_context_stay_in_one_split_where_one_is_cut_off() -> None:
    assert resolve(compose(FILES)).data.group == "context"
    assert resolve(compose(["data=squad", "model=bert-tiny"])).data.group == "context"
    own = ["data=files", "task=span", "data.train_path=a.json", "data.val_path=b.json", "data.test_path=c.json"]
    assert resolve(compose(own)).data.group is None
    assert resolve(compose([*own, "data.folds=5", "data.fold=0"])).data.group == "context"
    assert resolve(compose([*FILES, "data.group=title"])).data.group == "title"
