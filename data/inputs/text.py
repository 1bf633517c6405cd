"""One or two texts as the input of a row: tokens with the tokenizer's special tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Self

import numpy as np

from data.inputs.columns import Columns
from data.inputs.request import Asked, Field
from data.inputs.token_ids import TokenIds
from data.inputs.tokenizer import Tokenizer
from data.inputs.truncation import END, MIDDLE, without_middles
from data.inputs.word_cache import Encoded
from data.json_types import Json, JsonObject
from data.labels import Labels
from data.splits import TokenSplit
from data.targets.masked_words import UNCUT


def text_fields(count: int) -> tuple[Field, ...]:
    """Return the fields of a question of one text, or of two."""
    return (Field("text", "text", "A text"), Field("text_pair", "text", "The second text"))[:count]


class Text(TokenIds):
    """A text, or a pair of texts, as tokens."""

    name: ClassVar[str] = "text"
    reads_words: ClassVar[bool] = False
    options: ClassVar[tuple[str, ...]] = ("truncate",)

    def __init__(self, tokenizer: Tokenizer, is_pair: bool = False, truncate: str = END) -> None:
        super().__init__(tokenizer.pad_id)
        self.tokenizer, self.truncate = tokenizer, truncate
        self.columns: tuple[str, ...] = ("text", "text_pair") if is_pair else ("text",)

    def encode(self, columns: Columns, max_length: int) -> Encoded:
        """Return texts as tokens; of a pair the longer text is cut first."""
        return self._encode(columns["text"], columns.get("text_pair"), max_length)

    def _encode(self, texts: list[str], second: list[str] | None, max_length: int) -> Encoded:
        if self.truncate == MIDDLE:
            return without_middles(self.tokenizer.encode(texts, second, UNCUT), max_length)
        return self.tokenizer.encode(texts, second, max_length)

    @classmethod
    def columns_of(cls, setting: Callable[[str], Json]) -> tuple[str, ...]:
        """Return the names of the text columns of a run; setting: the value of a setting such as data.text."""
        found = (setting("data.text"), setting("data.text_pair"))
        return tuple(str(name) for name in found if name is not None)

    @classmethod
    def for_questions(cls, tokenizer: Tokenizer, columns: tuple[str, ...], options: JsonObject) -> Self:
        """Return the input of a model whose training rows had these columns."""
        return cls(tokenizer, is_pair=len(columns) > 1, truncate=str(options.get("truncate") or END))

    def request(self) -> tuple[Field, ...]:
        """Return one text, or two."""
        return text_fields(len(self.columns))

    def ask(self, columns: Sequence[Sequence[str]], max_length: int) -> Asked:
        """Return texts or pairs prepared for the model; UnicodeEncodeError for a text that is not valid Unicode."""
        texts, second = list(columns[0]), list(columns[1]) if len(columns) > 1 else None
        for text in texts if second is None else [*texts, *second]:
            text.encode()  # also checks text beyond the part that is read
        found = self._encode(texts, second, max_length)
        offsets = np.zeros(len(texts) + 1, np.int64)
        np.cumsum(found.lengths, out=offsets[1:])
        labels = Labels(np.zeros(len(texts), np.int64))
        split = TokenSplit("texts", found.tokens, offsets, found.segment_starts, labels, found.truncated, self)
        assert found.is_cut is not None, "every tokenizer says which texts it cut"

        def whole_lengths() -> np.ndarray:
            return np.asarray(self.tokenizer.encode(texts, second, UNCUT).lengths)

        return Asked(split, whole_lengths, found.is_cut, texts)
