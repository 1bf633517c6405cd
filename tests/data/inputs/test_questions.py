"""The inputs that a deployed model can be asked with."""

from __future__ import annotations

import pytest

from data.inputs.questions import INPUTS
from data.inputs.tokenizer import train_tokenizer
from runner.tasks import TASKS, task_class


@pytest.mark.parametrize("name", INPUTS)
def test_an_input_asks_for_what_its_fields_say(name: str) -> None:
    tokenizer = train_tokenizer(lambda: ["who is it ? it is me"] * 4, 60)
    own = INPUTS[name].for_questions(tokenizer, ("one", "two") if name == "question_context" else ("one",), {})
    fields = own.request()
    asked = own.ask([["who is it ?", "me"] for _ in fields], 12)
    assert len(asked.texts) == 2 and asked.lengths.shape == (2,) and not asked.is_cut.any()
    assert all(field.type in ("text", "words") and field.meaning for field in fields)


def test_every_task_that_is_deployed_has_an_input() -> None:
    assert {task_class(name).input for name in TASKS if task_class(name).is_deployed} <= INPUTS.keys()
