"""The facts about a run's data that its model.bin needs."""

from __future__ import annotations

from dataclasses import dataclass, field

from models.json_types import JsonObject


@dataclass(frozen=True)
class Facts:
    """How texts become token ids, and the names of the answers."""

    labels: tuple[str, ...]  # in id order, () for regression
    max_length: int  # in tokens; longer texts are truncated
    is_pair: bool = False  # does the model read pairs of texts?
    tokenizer: JsonObject | None = None  # the content of tokenizer.json; None for hashed words
    cleaning: tuple[str, ...] = ()  # names of the steps that clean a text before tokenization
    language: str | None = None  # whose rules lowercase hashed words; None: Unicode's
    word_pattern: str | None = None  # finds hashed words; None: the usual pattern
    # For multi-label classification: `thresholds`, one per label, and `at_least_one`.
    sets: JsonObject = field(default_factory=dict)
    sound: JsonObject = field(default_factory=dict)  # the content of sound.json, for a model that reads sounds
    truncate: str = "end"  # which tokens a longer text loses, data.truncate
    keeps_both: bool = False  # of two classes, for vector scaling, which needs more than the difference of their scores

    def entries(self) -> JsonObject:
        """The header's entries about cleaning, truncation and multi-label decisions."""
        found: JsonObject = {"cleaning": list(self.cleaning)} if self.cleaning else {}
        return found | ({} if self.truncate == "end" else {"truncate": self.truncate}) | self.sets

    @property
    def of_words(self) -> JsonObject:
        """The header's entries for hashed words: `entries`, how they are found, and whose rules lowercase them."""
        found = self.entries() | ({"language": self.language} if self.language else {})
        return found | ({"token": self.word_pattern} if self.word_pattern else {})
