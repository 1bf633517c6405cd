"""Fields and questions, whatever input a deployed model has."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest

from data.inputs.questions import INPUTS
from data.inputs.request import Asked, Field, FieldType
from data.inputs.tokenizer import train_tokenizer

TEXTS = ["one text", "another one"]


@pytest.mark.parametrize("name", INPUTS)
def test_every_input_says_its_fields_and_takes_one_column_for_each(name: str) -> None:
    tokenizer = train_tokenizer(lambda: TEXTS * 4, 40)
    own = INPUTS[name].for_questions(tokenizer, ("text",), {})
    fields = own.request()
    assert all(field.type in get_args(FieldType) and field.meaning for field in fields)
    asked = own.ask([TEXTS] * len(fields), 16)
    assert isinstance(asked, Asked)
    assert asked.texts == TEXTS
    assert len(asked.lengths) == len(asked.is_cut) == len(TEXTS)
    assert not asked.is_cut.any()


def test_a_field_without_choices_has_no_names() -> None:
    field = Field("prediction", "text", "the answer")
    assert field.names == ()
    assert replace(field, names=("a",)).names == ("a",)
