"""Fields and questions, whatever input a deployed model has."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from data.inputs.questions import INPUTS
from data.inputs.request import Asked, Field, FieldType
from data.inputs.sound_features import SoundFeatures
from data.inputs.tokenizer import train_tokenizer
from tests.data.inputs.sounds import sound_file, tone

TEXTS = ["one text", "another one"]
FRAMES = SoundFeatures("log_mel", 16000, mean=(0.0,) * 64, sd=(1.0,) * 64)


@pytest.mark.parametrize("name", INPUTS)
def test_every_input_says_its_fields_and_takes_one_column_for_each(name: str, tmp_path: Path) -> None:
    pieces = train_tokenizer(TEXTS * 4, 40)
    own = INPUTS[name].for_questions(FRAMES if name == "sound" else pieces, ("text",), {})
    questions: list[str] = []
    for number, text in enumerate(TEXTS):
        (tmp_path / f"{number}.wav").write_bytes(sound_file(tone()))
        questions.append(str(tmp_path / f"{number}.wav") if name == "sound" else text)
    fields = own.request()
    assert all(field.type in get_args(FieldType) and field.meaning for field in fields)
    asked = own.ask([questions] * len(fields), 16)
    assert isinstance(asked, Asked)
    assert asked.texts == questions
    assert len(asked.lengths) == len(asked.is_cut) == len(TEXTS)
    assert not asked.is_cut.any()


def test_a_field_without_choices_has_no_names() -> None:
    field = Field("prediction", "text", "the answer")
    assert field.names == ()
    assert replace(field, names=("a",)).names == ("a",)
