"""The facts about a run's data that its model.bin needs."""

from __future__ import annotations

from dataclasses import dataclass

from models.json_types import JsonObject


@dataclass(frozen=True)
class Facts:
    """How texts become token ids, and the words for the answers."""

    labels: tuple[str, ...]  # in id order, () where answers are numbers
    max_length: int  # tokens; longer texts are cut
    is_pair: bool = False  # does the model read two texts at a time?
    tokenizer: JsonObject | None = None  # the content of tokenizer.json; None for hashed words
    cleaning: tuple[str, ...] = ()  # names of the steps that clean a text before it becomes tokens
    language: str | None = None  # by whose rules hashed words are lowered; None: by those of Unicode

    def entries(self) -> JsonObject:
        """The entries of a header about what is done to a text first; none where nothing is."""
        return {"cleaning": list(self.cleaning)} if self.cleaning else {}

    @property
    def of_words(self) -> JsonObject:
        """The entries of a header of hashed words: the same, and the language by whose rules they are lowered."""
        return self.entries() | ({"language": self.language} if self.language else {})
