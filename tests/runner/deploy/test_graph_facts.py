"""The facts beside a graph: how questions and contexts, or words, are laid out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from data.inputs.tokenizer import train_tokenizer, wrap_backend
from runner.deploy.exported import ExportedModel
from runner.deploy.graph_facts import graph_facts, refuse_page
from runner.errors import ConfigError

LABELS, COLUMNS = ("start", "end"), ("question", "context")


def spans_at(folder: Path) -> ExportedModel:
    options, facts = {"overlap": 6}, {"has_empty": True, "null_threshold": 0.5}
    return ExportedModel(folder, "onnx", "0" * 10, "x", "span", LABELS, COLUMNS, 24, "", options, facts)


def test_windows_have_the_special_tokens_of_the_tokenizer(tmp_path: Path) -> None:
    tokenizer = train_tokenizer(["a good film"] * 3, 64)
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


def test_words_have_no_longest_text_where_they_are_read_in_windows(tmp_path: Path) -> None:
    train_tokenizer(["a good film"] * 3, 64).save(tmp_path)
    tags = ExportedModel(tmp_path, "onnx", "0" * 10, "x", "tags", ("O", "B-X", "I-X"), ("tokens",), 24, "")
    facts = graph_facts(tmp_path, tags, "bundle")
    assert facts["kind"] == "words" and "max_length" not in facts and facts["words"]["tokens"] == 24
    assert (facts["words"]["tags"], facts["words"]["bare"]) == ([["O", "B-X", "I-X"]], False)
    cut = graph_facts(tmp_path, replace(tags, options={"windows": False, "language": "tr"}), "bundle")
    assert cut["max_length"] == 24 and cut["words"]["bare"] and not cut["words"]["windows"]


def test_a_reader_knows_the_token_of_a_text_without_any(tmp_path: Path) -> None:
    from tokenizers import Tokenizer, models

    texts = replace(spans_at(tmp_path), task="classification", facts={})
    backend = Tokenizer(models.WordLevel({"[UNK]": 0, "good": 1, "[PAD]": 2}, unk_token="[UNK]"))
    wrap_backend(backend, "words", {"pad_token": "[PAD]"}).save(tmp_path)
    assert graph_facts(tmp_path, texts, "bundle")["empty"] == 2
    train_tokenizer(["a good film"] * 3, 64).save(tmp_path)
    assert "empty" not in graph_facts(tmp_path, texts, "bundle")


def test_a_page_neither_cleans_texts_nor_reads_both_their_ends(tmp_path: Path) -> None:
    refuse_page({"kind": "onnx"}, "aaaa")
    with pytest.raises(ConfigError, match=r"run aaaa cleans texts.*format=bundle"):
        refuse_page({"cleaning": ["tweets"]}, "aaaa")
    train_tokenizer(["a good film"] * 3, 64).save(tmp_path)
    texts = replace(spans_at(tmp_path), task="classification", facts={}, options={"truncate": "middle"})
    assert graph_facts(tmp_path, texts, "bundle")["truncate"] == "middle"
    with pytest.raises(ConfigError, match=r"reads both ends of long texts \(data.truncate\)"):
        graph_facts(tmp_path, texts, "page")
