"""One or two texts as the input of a row: tokens with BERT's special ones around each text."""

from __future__ import annotations

from data.inputs.token_ids import TokenIds
from data.inputs.tokenizer import Tokenizer


class Text(TokenIds):
    """A text, or a pair of texts, as tokens."""

    def __init__(self, tokenizer: Tokenizer, is_pair: bool = False) -> None:
        super().__init__(tokenizer.pad_id)
        self.tokenizer = tokenizer
        self.columns = ("text", "text_pair") if is_pair else ("text",)
