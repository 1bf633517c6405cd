"""The kinds of input that a deployed model accepts, by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Protocol, Self

from data.inputs.query_document import QueryDocument
from data.inputs.question_context import QuestionContext
from data.inputs.request import Asked, Field
from data.inputs.sound import Sound
from data.inputs.text import Text
from data.inputs.tokenizer import Tokenizer
from data.inputs.words import Words
from data.json_types import Json, JsonObject


class QuestionInput(Protocol):
    """An input in the form that a deployed model uses."""

    reads_words: ClassVar[bool]  # may a list of words be given instead of a text?
    options: ClassVar[tuple[str, ...]]  # data settings that apply to questions just as to the training rows

    @classmethod
    def columns_of(cls, setting: Callable[[str], Json]) -> tuple[str, ...]:
        """Return the columns that a run reads; setting: the value of a setting such as data.text."""
        ...

    @classmethod
    def for_questions(cls, tokenizer: Tokenizer, columns: tuple[str, ...], options: JsonObject) -> Self:
        """Return the input of a model whose training rows had these columns; options: by the names in `options`."""
        ...

    def request(self) -> tuple[Field, ...]:
        """Return the fields of a question."""
        ...

    def ask(self, columns: Sequence[Sequence[Any]], max_length: int) -> Asked:
        """Return questions ready for the model, each cut to `max_length` tokens; columns: one per `request` field."""
        ...


def input_of(usual: str, setting: Callable[[str], Json]) -> str:
    """Return the name of the input of a run: sound if its rows are sounds, else the usual one of its task.

    setting: the value of a setting such as data.audio.
    """
    return Sound.name if setting("data.audio") else usual


INPUTS: dict[str, type[QuestionInput]] = {
    "text": Text, "words": Words, "question_context": QuestionContext, "query_document": QueryDocument,
    "sound": Sound,
}  # fmt: skip
