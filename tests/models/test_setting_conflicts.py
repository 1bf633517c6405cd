"""Settings of a model that contradict each other."""

from __future__ import annotations

import re
from typing import Any

import pytest

from models.setting_conflicts import contradictions
from models.settings import TOKEN_OPTIONS, WORD_READOUTS, Finetuning, ModelSettings

HASH = {"name": "hash", "align": "linear"}


def test_the_defaults_and_every_readout_over_words_go_together() -> None:
    assert contradictions(ModelSettings()) == []
    for name in WORD_READOUTS:
        reads = "tokens" if name == "none" else "text"
        assert contradictions(ModelSettings(family="dsn", readout={"name": name}), reads) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"family": "dsn"}, "model/readout=cls"),
        ({"family": "dsn", "readout": {"name": "sum"}, "pretrained": "some/model"}, "model.pretrained=some/model"),
        ({"embedding": {"name": "hash"}, "init": "pca"}, "model.init=pca"),
        ({"embedding": {"name": "hash"}, "init_from": "<id>", "carry": "word_vectors"}, "model.carry=encoder"),
        ({"readout": {"name": "pair"}}, "model/readout=cls, or model=dsn"),
        ({"special_tokens": False}, "model.special_tokens=true"),
        ({"init": "output"}, "model=static, or model.init=random"),
        ({"tune": Finetuning(epochs=1)}, "model.tune.epochs=1"),
        ({"embedding": HASH}, "model.pretrained names none"),
        ({"embedding": HASH, "pretrained": "some/model", "tokenizer": "train"}, "model.tokenizer=train"),
    ],
)
def test_each_contradiction_is_one_line_with_a_cure(changes: dict[str, Any], message: str) -> None:
    (line,) = contradictions(ModelSettings(**changes))
    assert message in line and "Try: " in line


def test_a_head_that_reads_tokens_lists_the_readouts_that_keep_them() -> None:
    (line,) = contradictions(ModelSettings(), "tokens")
    assert "model/readout=cls gives one vector for the text" in line and "Try: model/readout=none, or" in line
    assert all(f"model/readout={name} model.readout.{key}=tokens" in line for name, key in TOKEN_OPTIONS.items())
    kept = ModelSettings(family="dsn", readout={"name": "none"}, token_dropout=0.1)
    (line,) = contradictions(kept, "tokens")
    assert "model.token_dropout=0.1 leaves words out of a pooling" in line


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vocabulary": "few"}, r"vocabulary=few: expected full, task .*Try: model\.vocabulary=8000"),
        ({"vocabulary": "0"}, "expected full, task"),
        ({"vocabulary": "80", "tokenizer": "train"}, r"Try: model\.vocab_size=80"),
        ({"vocabulary": "task", "tokenizer": "words"}, r"tokenizer=words has none\. Try: model\.vocabulary=full"),
        ({"vocabulary": "task", "embedding": {"name": "hash"}}, "leaves rows out of a table of word vectors"),
    ],
)
def test_a_vocabulary_that_cannot_be_trimmed_is_refused(changes: dict[str, Any], message: str) -> None:
    assert re.search(message, "\n".join(contradictions(ModelSettings(**changes))))


def test_a_trimmed_vocabulary_contradicts_nothing_else() -> None:
    for wanted in ("full", "task", "8000"):
        assert not contradictions(ModelSettings(vocabulary=wanted))
