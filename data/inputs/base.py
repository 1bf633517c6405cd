"""An input is everything in a row except its label: it is read from columns, encoded once, and padded into batches."""

from __future__ import annotations

from typing import ClassVar, Protocol

from data.inputs.columns import Columns
from data.inputs.tokenizer import Tokenizer
from data.inputs.word_cache import Encoded
from data.splits import RowInput


class Input(RowInput, Protocol):
    """Turns the columns of a dataset into the stored rows of a split, and these into batches."""

    name: ClassVar[str]
    tokenizer: Tokenizer
    columns: tuple[str, ...]  # the columns that it reads, by their names in the table of a raw split
    truncate: str  # which tokens a long row loses, of data/inputs/truncation.py

    def encode(self, columns: Columns, max_length: int) -> Encoded:
        """Return the rows of a chunk as tokens, at most `max_length` each, special ones included."""
