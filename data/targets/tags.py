"""Tags of words: one or two labels for each word of a row, predicted at the word's first token."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np

from data.inputs.word_cache import Encoded
from data.inputs.words import Words, lost_words
from data.labels import Labels
from data.settings import DataSettings
from data.splits import Arrays, TokenSplit
from data.targets.base import Target
from data.targets.masked_words import UNCUT
from data.targets.tag_schemes import SECOND


class Tags(Target):
    """Each word of a row has one or two tags."""

    name = "tags"
    task = "tags"
    marks_places = True

    def __init__(
        self, names: tuple[str, ...] = (), columns: tuple[int, ...] = (), notes: list[str] | None = None
    ) -> None:
        super().__init__(names, notes)
        self.columns = columns or (len(names),)

    @property
    def tags(self) -> list[tuple[str, ...]]:
        """The tags of each label of a word, in id order."""
        ends = np.cumsum([0, *self.columns]).tolist()
        return [tuple(name.removeprefix(SECOND) for name in self.names[a:b]) for a, b in pairwise(ends)]

    def longest(self, max_length: int) -> int:
        """Return no limit: `arrange` cuts rows at word boundaries."""
        return UNCUT

    def align(self, labels: Labels, encoded: Encoded) -> Labels:
        """Return the labels with the position of each word's first token, and the words' hashes."""
        return replace(labels, places=encoded.alignment, words=encoded.words)

    def arrange(self, split: TokenSplit, settings: DataSettings) -> TokenSplit:
        """Split rows that are longer than data.max_length into windows, or truncate them (data.windows=false)."""
        assert isinstance(split.input, Words), "tags are of words"
        return split.input.lay_out(split, settings.max_length, windows=settings.windows)

    def notes_on(self, split: TokenSplit, settings: DataSettings) -> list[str]:
        """Return notes on rows that became windows, and on words that the model does not see."""
        limit, lost, words = f"data.max_length={settings.max_length}", lost_words(split), len(split.labels.values)
        found = []
        if split.parts is not None and settings.windows:
            count = int((np.diff(split.parts) > 1).sum())
            found.append(
                f"{count:,} {split.name} rows are longer than {limit} and were split into windows, which overlap"
            )
        if lost and split.truncated:
            found.append(f"{lost:,} of {words:,} {split.name} words are beyond {limit}; they get the first tag")
        return found

    def collate(self, split: TokenSplit, rows: np.ndarray, inputs: Arrays, epoch: int) -> Arrays:
        """Return the `labels` (N,) or (N, 2) of the words that have a token."""
        items = split.labels.of(rows)
        assert split.labels.has_output is not None, "tags are stored with the places of words"
        return {"labels": np.asarray(split.labels.values[items[split.labels.has_output[items]]])}
