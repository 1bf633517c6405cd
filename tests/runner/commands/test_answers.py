"""An answer on the terminal: an empty one is named by what the model answers with."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from data.inputs.request import Field
from runner.commands.answers import answer_chunk, print_answer
from runner.deploy.answer_table import Answer
from runner.errors import ConfigError

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
        answer_chunk(predictor, [{"text": "a"}, {"text": "b", "prediction": "mine"}], options)


@pytest.mark.parametrize(("parts", "shown"), [(SPANS, "no answer\n0.75\n"), (SETS, "no label\n")])
def test_an_empty_answer_is_named(
    parts: list[tuple[Field, object]], shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    answer: Answer = {field.name: value for field, value in parts}
    print_answer(answer, [field for field, _ in parts])
    assert capsys.readouterr().out == shown
