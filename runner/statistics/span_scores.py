"""Scores of answers that are parts of a text: exact match and F1 as for SQuAD, as shares (official scores: times 100).

The bootstrap resamples questions. Questions about one text are not independent: where a difference is close to
significance, whole texts are resampled too.

    columns = graded(texts, margins, golds, contexts, threshold=0.0)     # v2; threshold=None: v1.1
    SPAN_SCORES["answer_f1"].value(Answers(columns))
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from runner.statistics import paired
from runner.statistics.answers import Answers
from runner.statistics.intervals import resample_rows
from runner.statistics.scores import OfCounts, Score, SumScore, Tested
from runner.statistics.span_texts import exact_match, token_f1

TRUTH = ("answerable", "context")  # columns that are the same for every model
GRADES = ("exact", "f1", "text_exact", "text_f1", "margin")
QUARTERS = 4


def graded(
    texts: Sequence[str],
    margins: np.ndarray,
    golds: Sequence[Sequence[str]],
    contexts: Sequence[str],
    threshold: float | None,
) -> dict[str, np.ndarray]:
    """Return the columns of Answers that the scores read, (questions,) each.

    texts: the best non-empty answer; margins: (questions,) score of no answer minus that of the text; golds: the right
    answers, [] for an unanswerable question; contexts: the text that each question is about; threshold: questions with
    a margin above it are answered with the empty text; None: every question is answered, by the rules of v1.1.

    `text_exact`, `text_f1`: the scores of the text; `exact`, `f1`: the scores of the final answer; `answerable`: 1 or
    0; `context`: a number shared by questions about the same text; `margin`: as given.
    """
    v2 = threshold is not None
    grades = [
        np.array([grade(text, right, v2=v2) for text, right in zip(texts, golds, strict=True)], np.float64)
        for grade in (exact_match, token_f1)
    ]
    answerable = np.array([float(bool(right)) for right in golds])
    is_empty = np.asarray(margins) > (np.inf if threshold is None else threshold)
    final = [np.where(is_empty, 1 - answerable, grade) for grade in grades]
    numbers = np.array([_number(context) for context in contexts], np.int64)
    return {
        "exact": final[0], "f1": final[1], "text_exact": grades[0], "text_f1": grades[1],
        "margin": np.asarray(margins, np.float64), "answerable": answerable, "context": numbers,
    }  # fmt: skip


def _number(text: str) -> int:
    """Return 63 bits of the sha256 of a text."""
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8], "little") >> 1


class QuestionScore(Score):
    """A score of questions; close comparisons are tested again by resampling whole contexts."""

    def test(self, pairs: Sequence[tuple[Answers, Answers]]) -> Tested:
        """Test the difference as `Score.test` does; a close one again over contexts, and keep the wider interval."""
        found = super().test(pairs)
        over_questions = found[2]()
        if not is_close(over_questions):
            return found
        draw = _drawn_contexts(pairs[0][0]["context"])
        scorers = [(self.over(first), self.over(second)) for first, second in pairs]

        def difference(counts: np.ndarray) -> np.ndarray:
            drawn = draw.of(counts)
            return np.asarray(np.mean([first(drawn) - second(drawn) for first, second in scorers], axis=0))

        resampled = resample_rows(draw.contexts, difference, resamples=paired.RESAMPLES)
        interval = paired.quantile_interval(resampled, f"bootstrap over {draw.contexts} contexts", draw.contexts)
        if interval.half <= over_questions.half:
            return found
        return "paired bootstrap over contexts", paired.bootstrap_p(resampled, draw.contexts), lambda: interval


def is_close(interval: paired.Interval) -> bool:
    """Does the interval of a difference exclude 0, but by less than half its width?"""
    return 0 < max(interval.low, -interval.high) < interval.half


@dataclass(frozen=True)
class _Contexts:
    """Questions grouped by the text that they are about."""

    contexts: int
    of_question: np.ndarray  # (questions,) the number of its context

    def of(self, counts: np.ndarray) -> np.ndarray:
        """Return how often each question was drawn, (R, questions), from draws of contexts (R, contexts)."""
        return np.asarray(counts[:, self.of_question])


def _drawn_contexts(contexts: np.ndarray) -> _Contexts:
    found, of_question = np.unique(contexts, return_inverse=True)
    return _Contexts(len(found), of_question)


@dataclass(frozen=True)
class QuestionMean(QuestionScore, SumScore):
    """The mean score of questions: of all, or only of those with or without an answer."""

    name: str
    of: Callable[[Answers], np.ndarray]  # from answers to (questions,)
    among: float | None = None  # 1: questions that have an answer, 0: those that have none

    def parts(self, answers: Answers) -> np.ndarray:
        """Return the grade of each question that counts, and whether it does, (N, 2)."""
        counts = np.ones(len(answers)) if self.among is None else (answers["answerable"] == self.among).astype(float)
        return np.stack([self.of(answers) * counts, counts], axis=1)

    def of_sums(self, sums: np.ndarray) -> np.ndarray:
        """Return the means (R,) of sums (R, 2); 0 without a question."""
        return np.asarray(sums[:, 0] / np.maximum(sums[:, 1], 1))

    def contributions(self, answers: Answers) -> np.ndarray | None:
        """Return the grades where all questions count."""
        return None if self.among is not None else np.asarray(self.of(answers), np.float64)


@dataclass(frozen=True)
class BestThreshold(QuestionScore):
    """The mean score at the threshold that is best for these same questions: an upper bound, not a fair score."""

    name: str
    grade: str  # the column with the scores of the texts

    def over(self, answers: Answers) -> OfCounts:
        """Return the score as a function of how often each question was drawn; each draw gets its own threshold."""
        order, ends = _by_margin(answers["margin"])
        empty = 1 - answers["answerable"]
        gains = (answers[self.grade] - empty)[order]

        def score(counts: np.ndarray) -> np.ndarray:
            sums = (counts[:, order] * gains).cumsum(axis=1)[:, ends]
            best = sums.max(axis=1, initial=0.0)  # 0: no text is answered
            return np.asarray((counts @ empty + best) / np.maximum(counts.sum(axis=1), 1))

        return score


def best_threshold(answers: Answers, grade: str = "text_f1") -> float:
    """Return the smallest threshold with the best mean score; below all margins where no text should be answered."""
    margins = answers["margin"]
    order, ends = _by_margin(margins)
    sums = (answers[grade] - (1 - answers["answerable"]))[order].cumsum()[ends]
    best = int(np.argmax(sums)) if len(sums) else 0
    if not len(sums) or sums[best] <= 0:
        return float(margins.min(initial=0.0)) - 1.0
    return float(margins[order][ends][best])


def _by_margin(margins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the order by ascending margin, and the last position of each distinct margin in that order."""
    order = np.argsort(margins, kind="stable")
    return order, np.flatnonzero(np.append(np.diff(margins[order]) > 0, True)[: len(order)])


def _column(name: str) -> Callable[[Answers], np.ndarray]:
    return lambda answers: answers[name]


def _quarter(number: int) -> Callable[[Answers], np.ndarray]:
    """Return which questions have an F1 in this quarter of 0..1, counted from 1; the last includes 1."""
    return lambda answers: (np.minimum(np.floor(answers["f1"] * QUARTERS), QUARTERS - 1) == number - 1).astype(float)


_SCORES: tuple[Score, ...] = (
    QuestionMean("answer_f1", _column("f1")),
    QuestionMean("exact_match", _column("exact")),
    QuestionMean("answer_f1_has_answer", _column("f1"), 1.0),
    QuestionMean("exact_match_has_answer", _column("exact"), 1.0),
    QuestionMean("answer_f1_no_answer", _column("f1"), 0.0),
    QuestionMean("exact_match_no_answer", _column("exact"), 0.0),
    BestThreshold("answer_f1_best_threshold", "text_f1"),
    BestThreshold("exact_match_best_threshold", "text_exact"),
    *(QuestionMean(f"answer_f1_quarter_{number}", _quarter(number)) for number in range(1, QUARTERS + 1)),
)
SPAN_SCORES: dict[str, Score] = {score.name: score for score in _SCORES}
OF_V2: tuple[str, ...] = tuple(name for name in SPAN_SCORES if name.endswith(("_answer", "_threshold")))


def scores_of(*, v2: bool) -> tuple[str, ...]:
    """Return the names of a data set's scores, the main one first; v2: does it have unanswerable questions?"""
    return tuple(name for name in SPAN_SCORES if v2 or name not in OF_V2)
