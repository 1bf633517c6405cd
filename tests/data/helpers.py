"""Splits made in memory, for tests that need no dataset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from data.inputs.token_ids import TokenIds
from data.inputs.tokenizer import Tokenizer, train_tokenizer
from data.inputs.words import Words
from data.labels import Labels
from data.splits import RowTarget, TokenSplit
from data.targets.class_label import ClassLabel
from data.targets.label_column import LabelColumn
from data.targets.tags import Tags


def column_of(labels: Sequence[str], classes: Sequence[str] = (), first_row: int = 1) -> LabelColumn:
    """A column of these labels, in rows of the source from `first_row` on."""
    column = LabelColumn(classes)
    for row, label in enumerate(labels, first_row):
        column.add(label, row)
    return column


def split_of(
    rows: Sequence[Sequence[int] | np.ndarray], labels: Any = None, *, name: str = "train", truncated: int = 0,
    starts: Sequence[int] | np.ndarray | None = None, target: RowTarget | None = None,
) -> TokenSplit:  # fmt: skip
    """A split of these rows of token ids, with one label each, and 0 as the id of padding."""
    lengths = np.array([len(row) for row in rows], np.int64)
    values = np.zeros(len(rows), np.int64) if labels is None else np.asarray(labels)
    return TokenSplit(
        name=name,
        tokens=np.concatenate([np.asarray(row, np.uint16) for row in rows]),
        offsets=np.concatenate([[0], np.cumsum(lengths)]),
        segment_starts=np.asarray(lengths if starts is None else starts, np.int32),
        labels=Labels(values),
        truncated=truncated,
        input=TokenIds(0),
        target=target or ClassLabel(("no", "yes")),
    )


def split_of_words(
    tokenizer: Tokenizer, rows: Sequence[Sequence[str]], values: Any = None, *, names: tuple[str, ...] = ("O",),
    columns: tuple[int, ...] = (),
) -> TokenSplit:  # fmt: skip
    """A split of these rows of words; values: the labels of all words, by default their numbers."""
    words, offsets = Words(tokenizer), np.cumsum([0, *map(len, rows)])
    encoded = words.encode({"words": list(map(list, rows))}, 8)
    labels = np.arange(offsets[-1]) if values is None else np.asarray(values)
    return TokenSplit(
        name="train",
        tokens=encoded.tokens.astype(np.uint16),
        offsets=np.cumsum([0, *encoded.lengths]),
        segment_starts=encoded.segment_starts,
        labels=Labels(labels, offsets, encoded.alignment, encoded.words),
        truncated=0,
        input=words,
        target=Tags(names, columns),
        source_rows=np.arange(1, len(rows) + 1) * 10,
    )


def tagged_split(seed: int = 0, rows: int = 9) -> TokenSplit:
    """Rows of 2 to 9 words with one of three tags each; the last word of a row has no token."""
    draw, words = np.random.default_rng(seed), ["a", "dog", "slept", "here", "dogs"]
    tokenizer = train_tokenizer([" ".join(words)], 60)
    texts = [[*draw.choice(words, draw.integers(1, 9)).tolist(), ""] for _ in range(rows)]
    split = split_of_words(tokenizer, texts, names=("O", "B-X", "I-X"))
    split.labels = replace(split.labels, values=split.labels.values % 3)
    return split
