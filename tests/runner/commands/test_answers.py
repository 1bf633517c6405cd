"""An answer on the terminal: an empty one is named by what the model answers with."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from data.inputs.request import Field
from runner.commands.answers import AnswerOptions, answer_chunk, answer_rows, print_answer
from runner.deploy.answer_table import Answer
from runner.errors import ConfigError

SAME = {"prediction": "prediction"}
SPANS: list[tuple[Field, object]] = [
    (Field("prediction", "text", "a part of the text"), ""), (Field("score", "number", "its share"), 0.75),
    (Field("spans", "spans", "its place"), []),
]  # fmt: skip
SETS: list[tuple[Field, object]] = [
    (Field("prediction", "text", "the labels"), ""), (Field("predicted_labels", "labels", "the same as a list"), []),
]  # fmt: skip


def test_no_column_of_a_row_is_overwritten_by_an_answer() -> None:
    predictor: Any = SimpleNamespace(answer_fields=[Field("prediction", "text", "the label")])
    options: Any = SimpleNamespace(columns=["text"])
    with pytest.raises(ConfigError, match="there is a column 'prediction' already"):
        answer_chunk(predictor, [{"text": "a"}, {"text": "b", "prediction": "mine"}], options, SAME)


class Tagger:
    """Gives every word the tag B-X."""

    answer_fields = (Field("prediction", "text", "the text"), Field("tags", "tags", "of words", ("O", "B-X")))
    exported = SimpleNamespace(max_length=64)

    def ask(self, first: list[str], second: None) -> SimpleNamespace:
        """Return the texts as a question."""
        return SimpleNamespace(texts=first, is_cut=np.zeros(len(first), bool), longest=0)

    def answers(self, asked: SimpleNamespace, batch_size: int) -> list[Answer]:
        """Return the same answer to each text."""
        return [{"prediction": text, "tags": ["B-X"]} for text in asked.texts]


def test_a_taggers_own_labelled_file_keeps_its_tags_beside_those_of_the_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("runner.commands.answers.open_answering", lambda *_: Tagger())
    exported: Any = SimpleNamespace(reads_sounds=False, max_length=64)
    rows = [{"text": "a", "tags": ["O"]}, {"text": "b"}]
    out = tmp_path / "out.jsonl"
    answer_rows(exported, iter(rows), AnswerOptions(["text"], 32, 1, out, "jsonl", is_live=False))
    assert [json.loads(line) for line in out.read_text().splitlines()] == [
        {"text": "a", "tags": ["O"], "prediction": "a", "predicted_tags": ["B-X"]},
        {"text": "b", "prediction": "b", "predicted_tags": ["B-X"]},
    ]
    assert "note: the rows have a column 'tags', so that of the answers is 'predicted_tags'" in capsys.readouterr().err


@pytest.mark.parametrize(("parts", "shown"), [(SPANS, "no answer\n0.75\n"), (SETS, "no label\n")])
def test_an_empty_answer_is_named(
    parts: list[tuple[Field, object]], shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    answer: Answer = {field.name: value for field, value in parts}
    print_answer(answer, [field for field, _ in parts])
    assert capsys.readouterr().out == shown
