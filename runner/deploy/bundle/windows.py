"""Answers a question with a part of a context (kind `windows`), with the `onnxruntime` and `tokenizers` packages.

A context that is longer than a row is read in windows that overlap. How it is cut and how an answer is chosen are in
files that training uses too, of which a bundle has copies.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np

if __package__:
    from data.inputs.context_windows import context_windows, trimmed, window_step
    from runner.tasks.best_span import best_span, window_probabilities

    from .encoder import TOKENIZER, Encoding, Graph, as_unicode, open_tokenizer
else:  # copied into a bundle
    from best_span import best_span, window_probabilities  # type: ignore[import-not-found,no-redef]
    from context_windows import context_windows, trimmed, window_step  # type: ignore[import-not-found,no-redef]
    from encoder import TOKENIZER, Encoding, Graph, as_unicode, open_tokenizer  # type: ignore[import-not-found,no-redef]

ANSWER = "answer"  # the type of the one span of an answer


class Found(NamedTuple):
    """The best answer of a window, and what speaks for none."""

    score: float  # start logit + end logit; -inf where no token may answer
    share: float  # the probability of its first token times that of its last
    start: int  # its first character in the context
    end: int  # the character after its last
    null: float  # start logit + end logit of the first token
    null_share: float


class Windows:
    """A model of spans in model.onnx with its tokenizer.json."""

    def __init__(self, header: dict[str, Any], folder: Path) -> None:
        """header: the content of model.json."""
        facts = header["windows"]
        self.before, self.between, self.after = (list(facts[name]) for name in ("before", "between", "after"))
        self.special, self.has_segments = len(self.before + self.between + self.after), bool(facts["segments"])
        self.most, self.overlap, self.longest = int(facts["tokens"]), facts["overlap"], int(header["max_length"])
        self.max_answer, self.has_empty = int(facts["max_answer"]), bool(facts["has_empty"])
        self.threshold = float(facts["null_threshold"])
        self.tokenizer = open_tokenizer(folder / TOKENIZER)
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        self.graph = Graph(folder)

    def answer(self, question: str, context: str) -> dict[str, Any]:
        """Return the answer to a question; of several windows the best one, and the least score of none, count."""
        asked = self.encode(question).ids[: self.longest]
        read = self.encode(context)
        room = self.most - len(asked) - self.special
        cut = context_windows(len(read.ids), room, window_step(room, self.overlap))
        found = [self.read(asked, read.ids[start:stop], read.offsets[start:stop]) for start, stop in cut]
        best, null = max(found, key=lambda one: one.score), min(one.null for one in found)
        if best.score == -np.inf or (self.has_empty and null - best.score > self.threshold):
            return {"prediction": "", "score": min(one.null_share for one in found), "spans": []}
        start, end = trimmed(context, best.start, best.end)
        span = {"type": ANSWER, "text": context[start:end], "start": start, "end": end, "score": best.share}
        return {"prediction": context[start:end], "score": best.share, "spans": [span]}

    def read(self, asked: list[int], context: list[int], places: list[tuple[int, int]]) -> Found:
        """Return the best answer in a window of a context, given its ids and the characters of each."""
        begin = len(self.before + asked + self.between)
        ids = [*self.before, *asked, *self.between, *context, *self.after]
        logits = self.graph.run(ids, begin if self.has_segments else len(ids))
        shares = window_probabilities(logits, np.array([0, len(ids)]))
        null, null_share = float(logits[0].sum(dtype=np.float64)), float(shares[0].prod())
        if not context:
            return Found(-np.inf, 0.0, 0, 0, null, null_share)
        starts, ends = logits[begin : begin + len(context)].astype(np.float64).T
        first, last, score = best_span(starts, ends, self.max_answer)
        share = float(shares[begin + first, 0] * shares[begin + last, 1])
        return Found(score, share, places[first][0], places[last][1], null, null_share)

    def score(self, question: str, context: str) -> NoReturn:
        """Raise ValueError: there are no labels."""
        raise ValueError("this model answers with a part of a text, so it has no label scores. Call the model")

    def length(self, question: str, context: str) -> int:
        """Return the tokens of a question before any are cut; of a context all are read."""
        return len(self.encode(question).ids)

    def encode(self, text: str) -> Encoding:
        """Return what the tokenizer makes of a text, without special tokens."""
        found: Encoding = self.tokenizer.encode(as_unicode(text), add_special_tokens=False)
        return found
