"""The inputs that a deployed model can be asked with."""

from __future__ import annotations

import pytest

from data.inputs.questions import INPUTS
from data.inputs.sound_features import SoundFeatures
from data.inputs.tokenizer import train_tokenizer
from runner.tasks import TASKS, task_class
from tests.data.inputs.sounds import sound_file, tone

FRAMES = SoundFeatures("log_mel", 16000, mean=(0.0,) * 64, sd=(1.0,) * 64)
PIECES = train_tokenizer(["who is it ? it is me"] * 4, 60)


@pytest.mark.parametrize("name", INPUTS)
def test_an_input_asks_for_what_its_fields_say(name: str) -> None:
    tokenizer = FRAMES if name == "sound" else PIECES
    own = INPUTS[name].for_questions(tokenizer, ("one", "two") if name == "question_context" else ("one",), {})
    fields = own.request()
    questions = [sound_file(tone())] * 2 if name == "sound" else ["who is it ?", "me"]
    asked = own.ask([questions for _ in fields], 12)
    assert len(asked.texts) == 2 and asked.lengths.shape == (2,) and not asked.is_cut.any()
    assert all(field.type in ("text", "words", "sound") and field.meaning for field in fields)


def test_every_task_that_is_deployed_has_an_input() -> None:
    assert {task_class(name).input for name in TASKS if task_class(name).is_deployed} <= INPUTS.keys()
