"""A question and a context as the input of a row; every non-padding token is scored, the first one for "no answer".

    [CLS] question [SEP] a window of the context [SEP]

Rows are stored whole and split into windows when they are read, so other windows need no new tokenisation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import ClassVar, Self

import numpy as np

from data.errors import DataError
from data.inputs.columns import Columns
from data.inputs.context_windows import (
    LONGEST_QUESTION,
    SHARED,
    context_windows,
    longest_question,
    window_step,
)
from data.inputs.offset_pieces import PairFrame, offset_pieces
from data.inputs.request import Asked, Field
from data.inputs.token_ids import TokenIds
from data.inputs.tokenizer import Tokenizer, require_pieces
from data.inputs.word_cache import Encoded, spans
from data.json_types import Json, JsonObject
from data.labels import Labels
from data.splits import Arrays, TokenSplit

OUTSIDE = (-1, -1)  # the characters of a token outside the context


class QuestionContext(TokenIds):
    """A question and its context, as tokens; long contexts become windows that overlap."""

    name: ClassVar[str] = "question_context"
    reads_words: ClassVar[bool] = False
    options: ClassVar[tuple[str, ...]] = ("overlap",)

    def __init__(self, tokenizer: Tokenizer, overlap: int | None = None) -> None:
        """overlap: that of the windows made by `ask`, as in `lay_out`."""
        super().__init__(tokenizer.pad_id)
        self.tokenizer, self.overlap = tokenizer, overlap
        self.frame = PairFrame.of(require_pieces(tokenizer, "a task of spans"))
        if tokenizer.cleaning:
            raise DataError(
                f"data.clean={','.join(tokenizer.cleaning)} changes texts, but an answer is a part of a context as it "
                "is. Leave it out"
            )
        self.columns: tuple[str, ...] = ("text", "text_pair")

    def encode(self, columns: Columns, max_length: int) -> Encoded:
        """Return whole rows as tokens, special ones included, with the character ranges of context tokens.

        Rows are never cut here, whatever `max_length` is: see `lay_out`.
        """
        pieces = require_pieces(self.tokenizer, "a task of spans")
        questions, contexts = (offset_pieces(pieces, columns[name]) for name in self.columns)
        frame, rows = self.frame, len(questions.counts)
        lengths = questions.counts + contexts.counts + len(frame)
        tokens, begin = np.empty(int(lengths.sum()), np.int64), np.cumsum(lengths) - lengths
        characters = np.full((len(tokens), 2), OUTSIDE, np.int32)
        at = begin
        for part in (frame.before, questions, frame.between, contexts, frame.after):
            if isinstance(part, np.ndarray):
                tokens[(at[:, None] + np.arange(len(part))).ravel()] = np.tile(part, rows)
                at = at + len(part)
                continue
            where = spans(at, part.counts)
            tokens[where] = part.tokens
            if part is contexts:
                characters[where] = part.characters
            at = at + part.counts
        starts = len(frame.before) + questions.counts + len(frame.between) if frame.has_segments else lengths
        return Encoded(tokens, lengths, starts, 0, characters=characters)

    def collate(self, split: TokenSplit, rows: np.ndarray, lookup: np.ndarray | None = None) -> Arrays:
        """Return padded rows and, as `places`, the positions (N,) of all non-padding tokens in the flattened (B, T)."""
        inputs = super().collate(split, rows, lookup)
        lengths = split.lengths[rows]
        return inputs | {"places": spans(np.arange(len(rows)) * inputs["input_ids"].shape[1], lengths)}

    def lay_out(self, split: TokenSplit, max_length: int, overlap: int | None, *, strict: bool = True) -> TokenSplit:
        """Return the split with rows of at most `max_length` tokens: contexts become windows, questions are truncated.

        overlap: context tokens that neighbouring windows share; None: a third of the room for the context.
        `truncated` of the result counts the truncated questions. strict: raise DataError if a question leaves too
        little room; else the context gets at least half, and windows that cannot share `overlap` share a third.
        """
        asked = self.questions(split)
        kept = np.minimum(asked, LONGEST_QUESTION if strict else longest_question(max_length, len(self.frame)))
        contexts = split.lengths - asked - len(self.frame)
        room = max_length - kept - len(self.frame)
        if strict:
            self._check_room(room, overlap, max_length, kept)
        if not (contexts > room).any() and (kept == asked).all():
            return split
        windows = [
            context_windows(tokens, most, window_step(most, overlap)) if tokens > most else [(0, tokens)]
            for tokens, most in zip(contexts.tolist(), room.tolist())
        ]
        counts = np.fromiter(map(len, windows), np.int64, len(windows))
        rows = np.repeat(np.arange(len(windows)), counts)
        start, stop = np.array([window for found in windows for window in found], np.int64).T
        return self._cut(split, rows, kept, asked, start, stop, np.concatenate([[0], np.cumsum(counts)]))

    def questions(self, split: TokenSplit) -> np.ndarray:
        """Return the number of question tokens of each row, (rows,) int64."""
        assert split.labels.characters is not None, "contexts are stored with their characters"
        is_context = np.asarray(split.labels.characters)[:, 0] >= 0
        before = np.concatenate([[0], np.cumsum(is_context)])[split.offsets]
        found: np.ndarray = split.lengths - np.diff(before) - len(self.frame)
        return found

    def _cut(
        self, split: TokenSplit, rows: np.ndarray, kept: np.ndarray, asked: np.ndarray, start: np.ndarray,
        stop: np.ndarray, parts: np.ndarray,
    ) -> TokenSplit:  # fmt: skip
        """Return a split of windows; window i has the context tokens start[i] ... stop[i] - 1 of source row rows[i]."""
        before, between, after = map(len, (self.frame.before, self.frame.between, self.frame.after))
        begin = split.offsets[rows]
        context = begin + before + asked[rows] + between
        starts = np.stack([begin, context - between, context + start, split.offsets[rows + 1] - after], 1)
        runs = np.stack([before + kept[rows], np.full_like(rows, between), stop - start, np.full_like(rows, after)], 1)
        chosen, lengths = spans(starts.ravel(), runs.ravel()), runs.sum(1)
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        has_segments = self.frame.has_segments
        return replace(
            split,
            tokens=np.asarray(split.tokens)[chosen],
            offsets=offsets,
            segment_starts=(before + kept[rows] + between if has_segments else lengths).astype(np.int32),
            labels=_window_labels(split.labels, chosen, offsets),
            truncated=int((kept < asked).sum()),
            parts=parts,
        )

    def _check_room(self, room: np.ndarray, overlap: int | None, max_length: int, kept: np.ndarray) -> None:
        """Raise DataError if the longest question leaves no room for the context, or no more than the overlap."""
        row, special = int(room.argmin()), len(self.frame)
        least = int(room[row])
        if least > (overlap or 0):
            return
        begin = f"data.max_length={max_length}: a question of {kept[row]} tokens and {special} special ones"
        if least < 1:
            raise DataError(f"{begin} leave no room for a context. Try: data.max_length={kept[row] + special + 128}")
        assert overlap is not None
        raise DataError(
            f"{begin} leave {least} tokens for the context, which must be more than data.overlap={overlap}, the "
            f"tokens that neighbouring windows share. Try: data.overlap={least // SHARED}, or "
            f"data.max_length={kept[row] + special + 2 * overlap}"
        )

    @classmethod
    def columns_of(cls, setting: Callable[[str], Json]) -> tuple[str, ...]:
        """Return the question and context columns of a run; setting: the value of a setting such as data.text."""
        return (str(setting("data.text")), str(setting("data.text_pair")))

    @classmethod
    def for_questions(cls, tokenizer: Tokenizer, columns: tuple[str, ...], options: JsonObject) -> Self:
        """Return the input of a model whose contexts were cut with these options."""
        return cls(tokenizer, options.get("overlap"))

    def request(self) -> tuple[Field, ...]:
        """Return a question and the text that it is about."""
        return (Field("question", "text", "A question"), Field("context", "text", "The text with the answer"))

    def ask(self, columns: Sequence[Sequence[str]], max_length: int) -> Asked:
        """Return questions and contexts ready for the model; UnicodeEncodeError for invalid Unicode."""
        questions, contexts = (list(column) for column in columns)
        for text in [*questions, *contexts]:
            text.encode()
        encoded = self.encode({"text": questions, "text_pair": contexts}, max_length)
        offsets = np.concatenate([[0], np.cumsum(encoded.lengths)])
        labels = token_labels(np.zeros((len(encoded.tokens), 2), np.int8), offsets, encoded.characters)
        whole = TokenSplit("questions", encoded.tokens, offsets, encoded.segment_starts, labels, 0, self)
        found = self.lay_out(whole, max_length, self.overlap, strict=False)
        asked, longest = self.questions(whole), longest_question(max_length, len(self.frame))
        return Asked(found, lambda: asked, asked > longest, contexts, rows=found.parts, longest=longest)


def token_labels(values: np.ndarray, offsets: np.ndarray, characters: np.ndarray | None) -> Labels:
    """Return the labels of rows in which every token is an item; values: (tokens, 2), offsets: of the rows."""
    places = np.arange(len(values)) - np.repeat(offsets[:-1], np.diff(offsets))
    return Labels(values, offsets, places.astype(np.int32), characters=characters)


def _window_labels(labels: Labels, chosen: np.ndarray, offsets: np.ndarray) -> Labels:
    """Return the labels of windows made of the tokens `chosen`; a window without the whole answer has no answer.

    offsets: (windows + 1,) where the tokens of each window begin.
    """
    assert labels.characters is not None, "contexts are stored with their characters"
    values = np.asarray(labels.values)[chosen]
    is_whole = (np.add.reduceat(values, offsets[:-1], axis=0, dtype=np.int64) == 1).all(axis=1)
    values[np.repeat(~is_whole, np.diff(offsets))] = 0
    values[offsets[:-1][~is_whole]] = 1
    return token_labels(values, offsets, np.asarray(labels.characters)[chosen])
