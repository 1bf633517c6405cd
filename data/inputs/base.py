"""An input is what a row is made of before its label: read from columns, encoded once, padded into batches."""

from __future__ import annotations

from typing import ClassVar, Protocol

from data.inputs.columns import Columns
from data.inputs.tokenizer import Tokenizer
from data.inputs.word_cache import Encoded
from data.splits import RowInput


class Input(RowInput, Protocol):
    """Makes the columns of a dataset into the stored rows of a split, and these into batches."""

    name: ClassVar[str]
    tokenizer: Tokenizer
    columns: tuple[str, ...]  # that it reads, as the table of a raw split names them

    def encode(self, columns: Columns, max_length: int) -> Encoded:
        """Return the rows of a chunk as tokens, at most `max_length` each, special ones included."""
