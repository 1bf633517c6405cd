"""A target that labels words: what the base class offers it, from the token store to a batch."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa

from data.batch import collate
from data.inputs.columns import Columns
from data.inputs.token_ids import TokenIds
from data.inputs.tokenizer import Tokenizer, train_tokenizer
from data.inputs.word_cache import Encoded
from data.labels import Labels
from data.sources.raw import RawSplit
from data.splits import Arrays, TokenSplit
from data.stores.build_once import SharedCache
from data.targets.base import Target
from data.tokenising import tokenise_split

TOKENIZER = train_tokenizer(["red green blue"] * 3, 60)


class Words(TokenIds):
    """Lists of words of one token each, between special tokens."""

    name: ClassVar[str] = "words"
    columns: tuple[str, ...] = ("words",)

    def __init__(self, tokenizer: Tokenizer) -> None:
        super().__init__(tokenizer.pad_id)
        self.tokenizer = tokenizer

    def encode(self, columns: Columns, max_length: int) -> Encoded:
        return self.tokenizer.encode([" ".join(words) for words in columns["words"]], None, max_length)


class Colours(Target):
    """Each word has a class, answered at its token."""

    name, task = "colours", "colours"

    def align(self, labels: Labels, encoded: Encoded) -> Labels:
        places = np.concatenate([np.arange(1, count + 1) for count in labels.counts])
        return Labels(labels.values, labels.offsets, places.astype(np.int32))

    def collate(self, split: TokenSplit, rows: np.ndarray, inputs: Arrays, epoch: int) -> Arrays:
        labels = split.labels.take(rows)
        assert labels.places is not None
        inputs["places"] = np.repeat(np.arange(len(rows)), labels.counts) * inputs["input_ids"].shape[1] + labels.places
        return {"labels": labels.values}


def test_several_labels_a_row_reach_the_batch_through_the_store(tmp_path: Path) -> None:
    words = [["red", "green", "blue"], ["blue"], ["green", "red"]]
    labels = Labels(np.array([[0, 5], [1, 5], [2, 5], [2, 6], [1, 6], [0, 6]]), np.array([0, 3, 4, 6]))
    raw = RawSplit(pa.table({"words": words}), labels, np.arange(3), np.arange(1, 4))
    for _ in range(2):  # made, then opened
        cache = SharedCache(tmp_path)
        split = tokenise_split(raw, "train", raw.fingerprint(), Words(TOKENIZER), Colours(), 16, cache)
        assert np.array_equal(split.labels.values, labels.values) and len(split.labels) == 3
        batch = collate(split, np.array([2, 0]))
        assert batch.targets["labels"].tolist() == [[1, 6], [0, 6], [0, 5], [1, 5], [2, 5]]
        found = batch.inputs["input_ids"].reshape(-1)[batch.inputs["places"]]
        assert [TOKENIZER.tokens()[token] for token in found] == ["green", "red", "red", "green", "blue"]
    files = {path.name for path in next(tmp_path.glob("tokens/*/")).iterdir()}
    assert files == {"tokens", "offsets", "second", "labels", "label_offsets", "places", "meta.json"}


def test_a_target_without_classes_or_numbers_is_drawn_regardless_and_left_as_it_is() -> None:
    target, labels = Colours(), Labels(np.zeros(3))
    assert target.strata(labels) is None and target.positive_class(None, labels) == 1 and target.longest(9) == 9
    assert target.check({"train": labels}, "d.csv")["train"] is labels
