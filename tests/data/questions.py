"""Questions about contexts, made in memory: tables as readers make them, and splits of their tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from data.inputs.question_context import QuestionContext
from data.inputs.tokenizer import Tokenizer
from data.labels import Labels
from data.settings import DataSettings
from data.sources.raw import RawSplit
from data.splits import TokenSplit
from data.targets.span import Span


@dataclass(frozen=True)
class Asked:
    """A question with its context and the right answers, [] for none; the first one begins at `start`."""

    question: str
    context: str
    golds: Sequence[str] = ()
    start: int = -1


def raw_questions(rows: Sequence[Asked]) -> RawSplit:
    """The rows as a reader returns them; where no start is given the first answer stands where it occurs first."""
    starts = [row.start if row.start >= 0 or not row.golds else row.context.index(row.golds[0]) for row in rows]
    ends = [start + len(row.golds[0]) if row.golds else -1 for start, row in zip(starts, rows)]
    table = pa.table(
        {
            "text": [row.question for row in rows],
            "text_pair": [row.context for row in rows],
            "_golds": pa.array([list(row.golds) for row in rows], pa.list_(pa.string())),
            "_question_id": [f"q{number}" for number in range(len(rows))],
        }
    )
    numbers = np.arange(len(rows))
    return RawSplit(table, Labels(np.stack([starts, ends], 1).astype(np.int64)), numbers, numbers + 1)


def whole_questions(tokenizer: Tokenizer, rows: Sequence[Asked]) -> TokenSplit:
    """The tokens of whole rows, before they are laid out."""
    raw, own, target = raw_questions(rows), QuestionContext(tokenizer), Span()
    encoded = own.encode(raw.read(np.arange(len(rows))), 8)
    labels = target.align(raw.labels, encoded)
    offsets = np.concatenate([[0], np.cumsum(encoded.lengths)])
    tokens = encoded.tokens.astype(np.uint16)
    split = TokenSplit("train", tokens, offsets, encoded.segment_starts, labels, 0, own, target)
    return replace(split, source_rows=raw.source_rows, texts=raw)


def split_of_questions(
    tokenizer: Tokenizer, rows: Sequence[Asked], max_length: int = 64, overlap: int | None = None
) -> TokenSplit:
    """The tokens of the rows, laid out in windows."""
    settings = DataSettings(max_length=max_length, overlap=overlap)
    return Span().arrange(whole_questions(tokenizer, rows), settings)
