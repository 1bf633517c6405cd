"""Spans: the part of a context that answers a question, from first to last token, or no answer at all."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from data.inputs.context_windows import LONGEST_QUESTION, trimmed
from data.inputs.question_context import QuestionContext, token_labels
from data.inputs.tokenizer import Tokenizer
from data.inputs.word_cache import Encoded
from data.labels import Labels
from data.settings import DataSettings
from data.splits import Arrays, TokenSplit
from data.targets.base import Target
from data.targets.masked_words import UNCUT

START, END = 0, 1  # columns of a token's labels: does the answer start at it, does it end at it?


class Span(Target):
    """Each row has an answer, a range of characters in its context, or none.

    Labels are read as (rows, 2) int64: start and end character, end exclusive; -1 -1 without an answer. They are stored
    as (tokens, 2) int8, 1 at the answer's first and last token; without an answer, both are at the row's first token.
    """

    name = "span"
    task = "span"
    marks_places = True

    def __init__(self, notes: list[str] | None = None) -> None:
        super().__init__(("start", "end"), notes)

    def check(self, labels: Mapping[str, Labels], where: str) -> dict[str, Labels]:
        """Return the labels unchanged, and set `has_empty` if some rows have no answer."""
        self.has_empty = any(bool((found.values[:, START] < 0).any()) for found in labels.values())
        return dict(labels)

    def tally(self, labels: Labels) -> tuple[tuple[str, ...], np.ndarray, str]:
        """Return how many questions have an answer and, if some have none, how many do not."""
        without = int((labels.values[:, START] < 0).sum())
        names = ("an answer", "no answer")[: 1 + self.has_empty]
        return names, np.array([len(labels) - without, without])[: len(names)], "questions"

    def in_words(self, labels: Labels) -> str:
        """Return the position of one row's answer as text."""
        start, end = labels.values[0].tolist()
        return "no answer" if start < 0 else f"an answer at {start}-{end}"

    def input(self, tokenizer: Tokenizer) -> QuestionContext:
        """Return the input of questions and contexts."""
        return QuestionContext(tokenizer)

    def longest(self, max_length: int) -> int:
        """Return no limit: `arrange` cuts contexts into windows."""
        return UNCUT

    def align(self, labels: Labels, encoded: Encoded) -> Labels:
        """Return the labels of all tokens; an answer that begins or ends inside a token includes the whole token."""
        assert encoded.characters is not None, "contexts are encoded with their characters"
        ends = np.cumsum(encoded.lengths)
        first, last = answer_tokens(labels.values, encoded.characters, ends - encoded.lengths, encoded.lengths)
        values = np.zeros((len(encoded.tokens), 2), np.int8)
        values[first, START] = values[last, END] = 1
        return token_labels(values, np.concatenate([[0], ends]), encoded.characters)

    def arrange(self, split: TokenSplit, settings: DataSettings) -> TokenSplit:
        """Split contexts that are longer than data.max_length into windows."""
        assert isinstance(split.input, QuestionContext), "spans are of contexts"
        return split.input.lay_out(split, settings.max_length, settings.overlap)

    def notes_on(self, split: TokenSplit, settings: DataSettings) -> list[str]:
        """Return notes on windows, truncated questions, and answers that do not consist of whole tokens."""
        found, limit = [], f"data.max_length={settings.max_length}"
        if split.parts is not None and len(split) > split.source_count:
            count = int((np.diff(split.parts) > 1).sum())
            found.append(
                f"{count:,} of {split.source_count:,} {split.name} rows are longer than {limit} and were split into "
                f"windows{'' if settings.overlap == 0 else ', which overlap'}: {len(split):,} windows in all"
            )
        if split.truncated:
            found.append(
                f"{split.truncated:,} {split.name} questions have more than {LONGEST_QUESTION} tokens and were cut"
            )
        if count := inside_tokens(split):
            found.append(f"{count:,} {split.name} answers begin or end inside a token; the whole token is taken")
        return found

    def collate(self, split: TokenSplit, rows: np.ndarray, inputs: Arrays, epoch: int) -> Arrays:
        """Return the `labels` (N, 2) of the rows' tokens and, in `item_rows` (N,), each token's row in the batch."""
        values = np.asarray(split.labels.values)[split.labels.of(rows)].astype(np.int64)
        return {"labels": values, "item_rows": np.repeat(np.arange(len(rows)), split.labels.counts[rows])}


def answer_tokens(
    answers: np.ndarray, characters: np.ndarray, starts: np.ndarray, lengths: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the first and last token of each row's answer, (rows,) each; the row's first token if it has no answer.

    answers: (rows, 2) characters, -1 -1 for none; characters: (tokens, 2) range of each token; starts, lengths: (rows,)
    each row's first token and number of tokens.
    """
    count = len(characters)
    begin, end = (np.repeat(answers[:, side], lengths) for side in (START, END))
    is_context, numbers = characters[:, 0] >= 0, np.arange(count)
    first = np.minimum.reduceat(np.where(is_context & (characters[:, 1] > begin), numbers, count), starts)
    last = np.maximum.reduceat(np.where(is_context & (characters[:, 0] < end), numbers, -1), starts)
    has_answer = (answers[:, START] >= 0) & (first <= last)
    return np.where(has_answer, first, starts), np.where(has_answer, last, starts)


def inside_tokens(split: TokenSplit) -> int:
    """Return how many answers differ from the text of their tokens; 0 if the source rows are not available."""
    rows = np.arange(split.source_count)
    facts = split.texts.facts(rows) if split.texts is not None and split.sentences is not None else {}
    if "_golds" not in facts or split.texts is None:
        return 0
    contexts, characters = split.texts.read(rows)["text_pair"], labelled_characters(split)
    return sum(
        bool(golds) and context[slice(*trimmed(context, start, end))] != golds[0].strip()
        for golds, context, (start, end) in zip(facts["_golds"], contexts, characters.tolist())
    )


def labelled_characters(split: TokenSplit) -> np.ndarray:
    """Return the character range of the labelled tokens of each source row, (source rows, 2); -1 -1 without an answer.

    If a row has several windows, the range is from the first window that contains the answer.
    """
    labels, items = split.labels, split.sentences
    assert labels.characters is not None
    assert items is not None
    found = np.full((split.source_count, 2), -1, np.int64)
    for side in (START, END):
        chosen = np.flatnonzero((np.asarray(labels.values)[:, side] == 1) & (np.asarray(labels.characters)[:, 0] >= 0))
        rows, at = np.unique(np.searchsorted(items, chosen, "right") - 1, return_index=True)
        found[rows, side] = np.asarray(labels.characters)[chosen[at], side]
    return found
