"""Asks an entailment model about texts: one hypothesis for each label, those of one text in one batch."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from runner.deploy.predictor import Predictor
from runner.zero_shot.scores import label_scores, prior_of
from runner.zero_shot.templates import PLACE

WITHOUT_CONTENT = ("", "N/A", "[MASK]")  # Zhao et al. 2021, section 5
CHUNK = 64  # texts at a time, so that memory does not grow with the rows


@dataclass(frozen=True)
class Question:
    """How texts are asked about their labels."""

    words: tuple[str, ...]  # a word for each class, in id order
    templates: tuple[str, ...]
    mode: str  # of scores.MODES
    has_prior: bool  # subtract the scores of texts without content?
    entailment: int = 0  # places of the model's classes
    contradiction: int | None = None


@dataclass(frozen=True)
class TemplateScores:
    """The answers by one template."""

    template: str
    raw: np.ndarray  # (texts, labels) scores
    prior: np.ndarray  # (labels,) of texts without content
    seconds: float
    cut: int  # texts that were longer than the model reads

    @property
    def texts_per_s(self) -> float:
        """The texts answered per second, each with all its hypotheses."""
        return len(self.raw) / max(self.seconds, 1e-9)

    def scores(self, *, has_prior: bool) -> np.ndarray:
        """Return the scores (texts, labels), with or without the prior subtracted."""
        return self.raw - self.prior if has_prior else self.raw


def ask_template(
    predictor: Predictor, texts: Sequence[str], question: Question, number: int, size: int
) -> TemplateScores:
    """Return the scores of all labels by one template; size: pairs of text and hypothesis in a batch."""
    template = question.templates[number]
    hypotheses = [template.replace(PLACE, word) for word in question.words]

    def scores_of(some: Sequence[str]) -> tuple[np.ndarray, int]:
        logits, cut = hypothesis_logits(predictor, some, hypotheses, size)
        return label_scores(logits, question.entailment, question.contradiction, question.mode), cut

    prior = prior_of(scores_of(WITHOUT_CONTENT)[0], question.mode)
    begun = time.perf_counter()
    parts = [scores_of(texts[start : start + CHUNK]) for start in range(0, len(texts), CHUNK)]
    seconds = time.perf_counter() - begun
    return TemplateScores(
        template, np.concatenate([part for part, _ in parts]), prior, seconds, sum(cut for _, cut in parts)
    )


def hypothesis_logits(
    predictor: Predictor, texts: Sequence[str], hypotheses: Sequence[str], size: int
) -> tuple[np.ndarray, int]:
    """Return the logits (texts, hypotheses, classes) and how many texts were cut with any hypothesis."""
    asked = predictor.ask([text for text in texts for _ in hypotheses], list(hypotheses) * len(texts))
    shape = (len(texts), len(hypotheses))
    return predictor.logits(asked.split, size).reshape(*shape, -1), int(asked.is_cut.reshape(shape).any(axis=1).sum())


def pair_logits(
    predictor: Predictor, texts: Sequence[str], pairs: Sequence[str], classes: Sequence[str], size: int
) -> TemplateScores:
    """Return the logits of pairs of texts, for data whose classes are the model's own; classes: of the data."""
    order = [predictor.exported.labels.index(name) for name in classes]
    begun, parts, cut = time.perf_counter(), [], 0
    for start in range(0, len(texts), CHUNK):
        asked = predictor.ask(texts[start : start + CHUNK], pairs[start : start + CHUNK])
        parts.append(predictor.logits(asked.split, size)[:, order])
        cut += int(asked.is_cut.sum())
    found = np.concatenate(parts).astype(np.float64)
    return TemplateScores("", found, np.zeros(len(order)), time.perf_counter() - begun, cut)
