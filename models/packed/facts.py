"""The facts about a run's data that its model.bin needs."""

from __future__ import annotations

from dataclasses import dataclass, field

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
    # Of labels that are decided one by one: `thresholds`, one a label, and `at_least_one`.
    sets: JsonObject = field(default_factory=dict)
    sound: JsonObject = field(default_factory=dict)  # the content of sound.json, of a model that reads sounds

    def entries(self) -> JsonObject:
        """The entries of a header about what is done to a text first, and about how labels are decided."""
        return ({"cleaning": list(self.cleaning)} if self.cleaning else {}) | self.sets

    @property
    def of_words(self) -> JsonObject:
        """The entries of a header of hashed words: the same, and the language by whose rules they are lowered."""
        return self.entries() | ({"language": self.language} if self.language else {})
