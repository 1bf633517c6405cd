"""Tags of words: one label, or two, for each word of a row, answered by the word's first token."""

from __future__ import annotations

import numpy as np

from data.splits import Arrays, TokenSplit
from data.targets.base import Target


class Tags(Target):
    """Each word of a row has a tag, or two."""

    name = "tags"

    def __init__(self, names: tuple[str, ...] = (), columns: tuple[int, ...] = ()) -> None:
        super().__init__(names)
        self.columns = columns or (len(names),)  # number of tags of each label of a word; `names` has all of them

    def collate(self, split: TokenSplit, rows: np.ndarray, inputs: Arrays, epoch: int) -> Arrays:
        """Return the `labels` (N,) or (N, 2) of the words that have a token; their `places` are added to the inputs."""
        labels, width = split.labels, inputs["input_ids"].shape[1]
        assert labels.places is not None, "tags are stored with the places of words"
        items = labels.of(rows)
        places = np.asarray(labels.places[items], np.int64)
        starts = np.repeat(np.arange(len(rows)) * width, labels.counts[rows])
        placed = places >= 0
        inputs["places"] = (starts + places)[placed]
        return {"labels": np.asarray(labels.values[items])[placed]}
