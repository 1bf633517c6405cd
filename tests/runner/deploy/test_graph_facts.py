"""The facts beside a graph: how questions and contexts are laid out, and which models have no reader."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from data.inputs.tokenizer import train_tokenizer
from runner.deploy.exported import ExportedModel
from runner.deploy.graph_facts import graph_facts, refuse_page_of_cleaned, require_reader
from runner.errors import ConfigError

LABELS, COLUMNS = ("start", "end"), ("question", "context")


def spans_at(folder: Path) -> ExportedModel:
    options, facts = {"overlap": 6}, {"has_empty": True, "null_threshold": 0.5}
    return ExportedModel(folder, "onnx", "0" * 10, "x", "span", LABELS, COLUMNS, 24, "", options, facts)


def test_windows_have_the_special_tokens_of_the_tokenizer(tmp_path: Path) -> None:
    tokenizer = train_tokenizer(lambda: ["a good film"] * 3, 64)
    tokenizer.save(tmp_path)
    facts = graph_facts(tmp_path, spans_at(tmp_path), "bundle")
    first, last = (tokenizer.tokens().index(token) for token in ("[CLS]", "[SEP]"))
    assert facts["windows"] == {
        "max_answer": 30, "has_empty": True, "null_threshold": 0.5, "tokens": 24, "overlap": 6,
        "before": [first], "between": [last], "after": [last], "segments": True,
    }  # fmt: skip
    assert (facts["kind"], facts["max_length"], facts["texts"]) == ("windows", 10, 2)
    texts = replace(spans_at(tmp_path), task="classification", facts={})
    assert "windows" not in graph_facts(tmp_path, texts, "bundle")


@pytest.mark.parametrize(
    ("form", "message"), [("page", "run serve 0+, which has"), ("docker", "a container gives one.*format=onnx")]
)
def test_a_model_that_answers_for_every_word_has_no_reader(tmp_path: Path, form: str, message: str) -> None:
    with pytest.raises(ConfigError, match=f"format={form}: .*{message}"):
        require_reader(replace(spans_at(tmp_path), task="tags"), form)
    require_reader(spans_at(tmp_path), form)


def test_a_page_cleans_no_texts() -> None:
    refuse_page_of_cleaned("aaaa", "bundle")
    with pytest.raises(ConfigError, match=r"run aaaa cleans texts.*format=bundle"):
        refuse_page_of_cleaned("aaaa", "page")
