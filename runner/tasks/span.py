"""Spans: the part of a context that answers a question, or none.

Every real token of a window has two logits, of being the answer's first token and its last. The loss is the mean of two
cross entropies, each over the tokens of a window; if the answer is not in the window, or there is none, the first token
is the target. Source: Devlin et al. 2019, sections 4.2 and 4.3; google-research/bert, run_squad.py. Padding takes no
part in the softmax, so that results do not depend on it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from data.errors import DataError
from data.inputs.request import Field
from data.json_types import JsonObject
from models.heads.base import HeadSpec
from models.settings import for_tokens, keeps_tokens
from runner.statistics.answers import Answers
from runner.statistics.span_scores import GRADES, SPAN_SCORES, TRUTH, graded, scores_of
from runner.tasks.base import Task
from runner.tasks.best_span import window_probabilities
from runner.tasks.finite import refuse_not_finite
from runner.tasks.segments import segment_log_softmax
from runner.tasks.span_baselines import FIRST_SENTENCE, NO_ANSWER, first_sentence
from runner.tasks.span_conflicts import cuts_train, span_conflicts
from runner.tasks.span_decoding import DecodedSpans, decode_spans

if TYPE_CHECKING:
    from torch import Tensor

    from data.inputs.request import Asked
    from data.splits import TokenSplit
    from runner.schema import Settings

NONE = {"name": "none"}  # the readout that returns every token's vector as it is
ANSWER = "answer"  # the type of the one span of an answer


class Span(Task):
    """An answer that is a part of a context: two cross entropies over the tokens of a window; F1 and exact match."""

    name = "span"
    target = "span"
    input = "question_context"
    reads = "tokens"
    grades_texts = True
    output_name = "a model of spans"
    reader = "windows"
    scores = SPAN_SCORES
    stored = (*GRADES, *TRUTH)
    truth = TRUTH
    examples = ("a question", "a text that answers it")
    baseline_name = "no answer or first sentence"

    @classmethod
    def conflicts(cls, settings: Settings) -> list[str]:
        """Return one line for every setting that finding spans forbids."""
        return span_conflicts(settings)

    @classmethod
    def adapt(cls, settings: Settings) -> None:
        """Give presets a readout that keeps a vector for each token; keep questions about one text in one split.

        A preset's own readout, the first token's vector, is replaced; a readout that was asked for is refused.
        """
        data, model = settings.data, settings.model
        data.positive = None
        if model.readout["name"] in ("auto", "cls") or model.family == "dsn":
            model.readout = dict(NONE)
        elif not keeps_tokens(model.readout) and (found := for_tokens(model.readout)) != NONE:
            model.readout = found or model.readout
        if data.group is None and cuts_train(data):
            data.group = data.text_pair

    @classmethod
    def default_metrics(cls, classes: int) -> tuple[str, ...]:
        """Return F1 and exact match."""
        return ("answer_f1", "exact_match")

    @property
    def always_recorded(self) -> tuple[str, ...]:
        """Every score that the set has."""
        return scores_of(v2=self.facts.has_empty)

    def check(self) -> Self:
        """Return the task; raise DataError for a score that it cannot have."""
        for name in super().check().metrics:
            if name not in self.always_recorded:
                raise DataError(
                    f"data.metrics: {name} is for data in which some questions have no answer, but here all have one. "
                    "Try: 'data.metrics=[answer_f1]'"
                )
        return self

    def head(self) -> HeadSpec:
        """Return a head over tokens with two outputs."""
        return HeadSpec("span", 2)

    # Training

    def mean_loss(self, output: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of one window, a scalar; output, labels: (tokens, 2)."""
        return self.loss(output, {"labels": labels, "item_rows": labels.new_zeros(len(labels))})

    def loss(self, output: Tensor, targets: Mapping[str, Tensor], known: np.ndarray | None = None) -> Tensor:
        """Return the mean loss over the windows; output: (tokens, 2).

        targets: `labels` (tokens, 2), 1 at the right tokens; `item_rows` (tokens,) the window of each. known: (tokens,)
        which have a label; a window without adds nothing.
        """
        rows = targets["item_rows"]
        labels = targets["labels"].to(output.dtype)
        if known is not None:
            labels = labels * labels.new_tensor(known).unsqueeze(-1)
        found: Tensor = -(segment_log_softmax(output, rows, windows_of(rows)) * labels).sum()
        return found / (2 * max(1, windows_of(rows)))

    def items(self, targets: Mapping[str, np.ndarray], known: np.ndarray | None = None, soft: str = "kl") -> float:
        """Return the windows of a part of a batch, of which those without a label count in the mean loss, too."""
        return float(windows_of(targets["item_rows"]))

    def match(
        self, student: Tensor, teacher: Tensor, targets: Mapping[str, Tensor], *, soft: str, temperature: float
    ) -> Tensor:
        """Return the divergence, or the cross entropy, of the softened probabilities: the mean of start and end.

        kl: times the square of the temperature, as for classes. Both are means over the windows.
        """
        rows = targets["item_rows"]
        count = windows_of(rows)
        found, wanted = (segment_log_softmax(one / temperature, rows, count) for one in (student, teacher))
        difference, scale = (wanted - found, temperature**2) if soft == "kl" else (-found, 1.0)
        total: Tensor = (wanted.exp() * difference).sum()
        return scale * total / (2 * max(1, count))

    # Evaluation

    def answers(self, kept: np.ndarray, split: TokenSplit) -> Answers:
        """Return grades, texts and places of the answers to each question; kept: (tokens of all windows, 2) logits."""
        refuse_not_finite(kept, "logits", "tokens")
        decoded = self._decode(kept, split)
        contexts = _contexts(split)
        texts = decoded.texts(contexts)
        columns = self._graded(texts, decoded.margin, split, contexts)
        is_empty = self._is_empty(decoded)
        shown = np.array(["" if empty else text for text, empty in zip(texts, is_empty)], object)
        places = {"start": decoded.start, "end": decoded.end}
        columns |= {"prediction": shown} | {key: np.where(is_empty, -1, at) for key, at in places.items()}
        return Answers(columns | {"score": decoded.score} | _facts(split))

    def _decode(self, kept: np.ndarray, split: TokenSplit) -> DecodedSpans:
        return decode_spans(kept, split, self.facts.max_answer)

    def _is_empty(self, decoded: DecodedSpans) -> np.ndarray:
        """Return which questions are answered with the empty text, (questions,) bool."""
        if not self.facts.has_empty:
            return decoded.first < 0
        return np.asarray((decoded.margin > self.facts.null_threshold) | (decoded.first < 0))

    def _graded(
        self, texts: Sequence[str], margins: np.ndarray, split: TokenSplit, contexts: Sequence[str]
    ) -> dict[str, np.ndarray]:
        threshold = self.facts.null_threshold if self.facts.has_empty else None
        return graded(texts, margins, _golds(split), contexts, threshold)

    def columns_to_store(self, kept: np.ndarray, answers: Answers) -> dict[str, np.ndarray]:
        """Return the answers; no logits, of which every token has two."""
        return dict(answers.columns)

    def evaluated_loss(self, kept: np.ndarray, split: TokenSplit) -> float:
        """Return the mean loss of a window."""
        import torch

        labels = torch.from_numpy(np.array(split.labels.values, np.float32))
        rows = torch.from_numpy(np.repeat(np.arange(len(split)), split.labels.counts))
        return float(self.loss(torch.from_numpy(kept), {"labels": labels, "item_rows": rows}))

    def baseline(self, train: TokenSplit, split: TokenSplit, score: str) -> float:
        """Return the better score of no answer at all and of the first sentence of every context."""
        return max(self.baselines(train, split, score).values())

    def baselines(self, train: TokenSplit, split: TokenSplit, score: str) -> dict[str, float]:
        """Return the scores of both, by their names."""
        contexts = _contexts(split)
        nothing = np.zeros(len(contexts))
        first = self._graded([first_sentence(text) for text in contexts], nothing - np.inf, split, contexts)
        none = first | {"margin": nothing + np.inf, "text_exact": nothing, "text_f1": nothing}
        none |= dict.fromkeys(("exact", "f1"), (1 - first["answerable"]) * self.facts.has_empty)
        found = {NO_ANSWER: none, FIRST_SENTENCE: first}
        return {name: self.score(score).value(Answers(columns)) for name, columns in found.items()}

    def is_constant(self, answers: Answers) -> bool | None:
        """Return whether every question got the same answer; None for stored answers, which have no texts."""
        texts = answers.columns.get("prediction")
        return None if texts is None else len(set(texts.tolist())) <= 1

    def diverged_answers(self, answers: Answers) -> bool:
        """Return whether every question got the same answer, although not all have none."""
        return bool(self.is_constant(answers)) and bool(answers["answerable"].any())

    # Deployment

    def answer_fields(self) -> tuple[Field, ...]:
        """Return the answer, its confidence, and its place in the text."""
        meaning = "a part of the text" + (", empty where it has no answer" if self.facts.has_empty else "")
        return (
            Field("prediction", "text", meaning),
            Field("score", "number", "how sure: the probability of its first word times that of its last"),
            Field("spans", "spans", "the answer with its place in the text", (ANSWER,)),
        )

    def reader_facts(self, *, are_fitted: bool = False) -> JsonObject:
        """Return `windows`: how long an answer may be, and when there is none."""
        known = self.facts
        rules = {"max_answer": known.max_answer, "has_empty": known.has_empty, "null_threshold": known.null_threshold}
        return {"windows": rules}

    def respond(self, kept: np.ndarray, asked: Asked) -> list[dict[str, Any]]:
        """Return one answer for each question from the logits (tokens of all windows, 2)."""
        split, offsets = asked.split, asked.split.labels.offsets
        assert offsets is not None, "tokens have labels of their own"
        decoded, shares = self._decode(kept, split), window_probabilities(kept, offsets)
        windows = np.arange(len(split) + 1) if split.parts is None else np.asarray(split.parts)
        nothing = np.minimum.reduceat(shares[np.asarray(offsets)[:-1]].prod(axis=1), windows[:-1])
        sure = np.where(decoded.first < 0, 0.0, shares[decoded.first, 0] * shares[decoded.last, 1])
        found: list[dict[str, Any]] = []
        for number, (text, empty) in enumerate(zip(decoded.texts(asked.texts), self._is_empty(decoded).tolist())):
            if empty:
                found.append({"prediction": "", "score": float(nothing[number]), "spans": []})
                continue
            share, (start, end) = float(sure[number]), decoded.place(number, asked.texts[number])
            span = {"type": ANSWER, "text": text, "start": start, "end": end, "score": share}
            found.append({"prediction": text, "score": share, "spans": [span]})
        return found

    # Sentences

    def describe(self, train: TokenSplit) -> str:
        """Return a line with the questions, those without an answer, and their windows."""
        return f"task: answers to {train.source_count:,} questions in {len(train):,} windows{self._without(train)}"

    def _without(self, train: TokenSplit) -> str:
        if not self.facts.has_empty:
            return ", each with an answer"
        empty = sum(not golds for golds in _golds(train))
        return f"; {empty:,} have no answer (as in SQuAD 2.0)"

    @classmethod
    def constant_sentence(cls, split: str) -> str:
        """Return a sentence about a model that gave every question the same answer."""
        return f"the model gives every question of {split} the same answer"


def windows_of(rows: np.ndarray | Tensor) -> int:
    """Return the number of windows; rows: (tokens,) the window of each, counted from 0, an array or a tensor."""
    return int(rows[-1]) + 1 if len(rows) else 0


def _contexts(split: TokenSplit) -> list[str]:
    """Return the context of each question."""
    assert split.texts is not None, "questions are graded by their texts"
    contexts: list[str] = split.texts.read(np.arange(split.source_count))["text_pair"]
    return contexts


def _golds(split: TokenSplit) -> list[list[str]]:
    """Return the right answers to each question, [] if there is none."""
    assert split.texts is not None, "questions are graded by their texts"
    return split.texts.facts(np.arange(split.source_count))["_golds"]


def _facts(split: TokenSplit) -> dict[str, np.ndarray]:
    """Return the first right answer to each question, "" for none, and its id where it has one."""
    assert split.texts is not None, "questions are graded by their texts"
    facts = split.texts.facts(np.arange(split.source_count))
    found = {"label": np.array([golds[0] if golds else "" for golds in facts["_golds"]], object)}
    if "_question_id" in facts:
        found["question_id"] = np.array(facts["_question_id"], object)
    return found
