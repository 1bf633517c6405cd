"""The bodies of requests to a server and of its answers, by the fields that its model asks for and gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import Base64Bytes, BaseModel, ConfigDict, Field, create_model

from data.inputs import request as fields


class Question(BaseModel):
    """The body of a request to /predict."""

    model_config = ConfigDict(extra="forbid", strict=True)
    texts: list[str] = Field(min_length=1, description="texts to predict")
    pairs: list[str] | None = Field(None, description="the second text of each, for models that read two")
    truncate: bool = Field(False, description="cut texts that are too long for the model; otherwise they are an error")
    explain: bool = Field(False, description="return words that support each answer; for at most 4 texts")


class WordsQuestion(Question):
    """The body of a request to a model that reads words."""

    texts: list[str | list[str]] = Field(  # type: ignore[assignment]
        min_length=1, description="texts to predict, each a text or a list of its words"
    )


class SoundQuestion(Question):
    """The body of a request to a model that reads sounds; it names no file of the server's disk."""

    texts: list[Base64Bytes] = Field(  # type: ignore[assignment]
        min_length=1, alias="sounds", description="sound files, the content of each in base64"
    )


class TimedQuestion(Question):
    """The body of a request to a model that may answer faster for less accuracy."""

    max_ms: float | None = Field(None, gt=0, description="milliseconds for each text; by default the server's limit")


class TimedWordsQuestion(TimedQuestion, WordsQuestion):
    """The body of a request to such a model that reads words."""


class Span(BaseModel):
    """A part of a text and what it is."""

    type: str
    text: str
    start: int = Field(description="position of its first character in the text")
    end: int = Field(description="position after its last character")
    score: float


class ReasonFacts(BaseModel):
    """A part of a question, and how much it contributed to the answer."""

    text: str
    field: int = Field(description="0: in the first text, 1: in the second")
    spans: list[tuple[int, int]] = Field(description="its positions in characters, end excluded")
    adds: float = Field(description="positive: speaks for the answer")


class ReasonsFacts(BaseModel):
    """Which words led to an answer."""

    method: str = Field(description="exact: parts of a sum; leave one word out: the change without each word")
    unit: str
    parts: list[ReasonFacts]


TYPES: dict[fields.FieldType, Any] = {
    "text": str, "label": str, "number": float, "shares": dict[str, float], "spans": list[Span], "tags": list[str],
    "labels": list[str],
}  # fmt: skip


def answers_model(answer_fields: Sequence[fields.Field]) -> type[BaseModel]:
    """Return the body of an answer: the run that trained the model, and an answer for each text in the same order."""
    described = {field.name: (TYPES[field.type], Field(description=field.meaning)) for field in answer_fields}
    reasons = (ReasonsFacts | None, Field(None, description="where `explain` asked for them"))
    answer: Any = create_model("Answer", **described, reasons=reasons)  # type: ignore[call-overload]
    answers = (list[answer], Field(description="one for each text, in the same order"))
    return create_model("Answers", model=(str, Field(description="the run that trained it")), answers=answers)


class FieldFacts(BaseModel):
    """A field of a question or an answer."""

    name: str
    type: str
    meaning: str
    names: list[str]


class Health(BaseModel):
    """The state of the server and the facts of its model."""

    status: str
    model: str
    name: str
    engine: str
    task: str
    labels: list[str]
    reads: int = Field(description="texts at a time: 2 for pairs")
    max_length: int = Field(description="tokens")
    asks: list[FieldFacts] = Field(description="what a question consists of")
    answers: list[FieldFacts] = Field(description="what an answer consists of")
    calibrated: bool = Field(description="true: label scores are calibrated probabilities")
    calibration: str = Field(description="what label scores mean, which rows calibrated them; empty: no scores")
    ece: float | None = Field(None, description="how far probabilities were off on average, on the reported rows")
    ece_floor_95: float | None = Field(None, description="how far they are off by chance in 95 of 100 cases, at most")
    promise: list[str] = Field(description="what is promised about the answers, in sentences; empty without reject=")
    explains: str = Field(description="how `explain` finds the words that spoke for an answer; empty: not at all")


def question_model(asked: Sequence[fields.Field], *, is_timed: bool = False) -> type[Question]:
    """Return the body of a request for a model with these fields.

    is_timed: may a request say how long its answers may take?
    """
    if asked[0].type == "sound":
        return SoundQuestion
    if asked[0].type == "words":
        return TimedWordsQuestion if is_timed else WordsQuestion
    return TimedQuestion if is_timed else Question
