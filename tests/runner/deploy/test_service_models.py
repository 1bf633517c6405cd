"""The bodies of requests and answers follow from the fields that a model asks for and gives."""

from __future__ import annotations

import pytest

pytest.importorskip("fastapi")

from data.inputs.request import Field
from runner.deploy.service_models import Question, answers_model, question_model

WORDS = Field("text", "words", "A text, or its words")


def test_words_may_stand_for_a_text_only_where_the_model_reads_words() -> None:
    assert question_model([Field("text", "text", "A text")]) is Question
    assert question_model([WORDS]).model_json_schema()["properties"]["texts"]["items"]["anyOf"][1]["type"] == "array"


def test_a_sound_is_its_content_in_base64_and_never_a_path() -> None:
    model = question_model([Field("sound", "sound", "A sound file")])
    assert model.model_validate_json(b'{"sounds": ["aGVsbG8="]}').texts == [b"hello"]
    assert "sounds" in model.model_json_schema()["properties"]
    for wrong in (
        b'{"texts": ["aGVsbG8="]}',
        b'{"sounds": ["/etc/passwd.wav"]}',
        b'{"sounds": [5]}',
        b'{"sounds": []}',
    ):
        with pytest.raises(ValueError, match=r"sounds"):
            model.model_validate_json(wrong)


def test_the_fields_of_an_answer_are_described_by_their_types() -> None:
    spans = Field("spans", "spans", "the names in it")
    model = answers_model([Field("prediction", "text", "the sentence"), spans, Field("tags", "tags", "of each word")])
    schema = model.model_json_schema()
    answer = schema["$defs"]["Answer"]["properties"]
    assert answer["spans"]["items"] == {"$ref": "#/$defs/Span"} and answer["spans"]["description"] == spans.meaning
    assert answer["tags"]["items"] == {"type": "string"} and schema["required"] == ["model", "answers"]
    shares = answers_model([Field("probabilities", "shares", "of each class", ("a",))]).model_json_schema()
    assert shares["$defs"]["Answer"]["properties"]["probabilities"]["additionalProperties"] == {"type": "number"}


def test_reasons_are_a_part_of_an_answer_that_may_be_missing() -> None:
    model = answers_model([Field("prediction", "label", "the label", ("a",))])
    plain = model.model_validate({"model": "x", "answers": [{"prediction": "a"}]})
    assert plain.model_dump(exclude_none=True) == {"model": "x", "answers": [{"prediction": "a"}]}
    part = {"text": "good", "field": 0, "spans": [(0, 4)], "adds": 0.5}
    reasons = {"method": "exact", "unit": "logit", "parts": [part]}
    full = model.model_validate({"model": "x", "answers": [{"prediction": "a", "reasons": reasons}]})
    assert full.model_dump()["answers"][0]["reasons"] == reasons
