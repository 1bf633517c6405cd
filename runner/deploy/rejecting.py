"""A predictor that answers "unsure" where a promise on the share of errors would not hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from data.inputs.request import Field
from data.json_types import JsonObject
from runner.deploy.answer_table import Answer
from runner.deploy.bundle.calibration import Calibration, read_calibration
from runner.deploy.bundle.rejection import MOST_PROBABLE, UNSURE, PromiseError, keep_promise, promise_in
from runner.deploy.cascade import open_cascade
from runner.deploy.exported import CASCADE, ExportedModel
from runner.deploy.predictors import AnyPredictor, Questions, open_predictor
from runner.deploy.promise_text import sentences
from runner.errors import ConfigError


@dataclass(frozen=True)
class RejectingPredictor:
    """A predictor of labels with probabilities, and the promise that its answers keep, as calibration.json has it."""

    inner: AnyPredictor
    promise: dict[str, Any]

    @property
    def exported(self) -> ExportedModel:
        """The files that it was loaded from."""
        return self.inner.exported

    @property
    def calibration(self) -> Calibration:
        """How its logits become probabilities."""
        return self.inner.calibration

    @property
    def request_fields(self) -> tuple[Field, ...]:
        """The parts of a question."""
        return self.inner.request_fields

    @property
    def answer_fields(self) -> tuple[Field, ...]:
        """The parts of an answer: the label or UNSURE, the most probable label, and all others."""
        label, *others = self.inner.answer_fields
        said = replace(label, meaning=f"a label, or {UNSURE} where too many such labels are wrong",
                       names=(*label.names, UNSURE))  # fmt: skip
        return said, replace(label, name=MOST_PROBABLE), *others

    def ask(self, texts: Sequence[Any], pairs: Sequence[str] | None = None) -> Questions:
        """Prepare texts, or pairs of texts, for the model; those longer than it reads are cut and counted."""
        return self.inner.ask(texts, pairs)

    def answers(self, asked: Questions, batch_size: int) -> list[Answer]:
        """Return one answer for each question; asked: as `ask` returned it."""
        return [keep_promise(self.promise, answer) for answer in self.inner.answers(asked, batch_size)]

    def __call__(self, texts: Sequence[Any], pairs: Sequence[str] | None = None, batch_size: int = 32) -> list[Answer]:
        """Return one answer for each text or pair of texts; long texts are cut."""
        return [keep_promise(self.promise, answer) for answer in self.inner(texts, pairs, batch_size)]


def promised(predictor: AnyPredictor) -> list[str]:
    """Return the promise of a predictor's answers, in sentences; none for one without a promise."""
    return sentences(predictor.promise) if isinstance(predictor, RejectingPredictor) else []


def open_answering(
    exported: ExportedModel, threads: int = 1, promise: dict[str, Any] | None = None, max_ms: float | None = None
) -> AnyPredictor:
    """Load a model to answer on `threads` threads; with a promise if one is given, or saved with it.

    max_ms: as in `open_predictor`. Raises ConfigError for damaged files, and for a promise that does not hold: one that
    was saved with other weights, or any promise at other lengths than the model's own.
    """
    try:
        if exported.lengths or max_ms is not None:
            refuse_promise_at_other_lengths(exported, promise, "length" if exported.lengths else "max_ms")
        predictor: AnyPredictor
        if exported.engine == CASCADE:
            predictor = open_cascade(exported, threads)
        else:
            predictor = open_predictor(exported, threads, max_ms)
        promise = promise or promise_in(predictor.calibration.facts, exported.labels)
    except PromiseError as error:
        raise ConfigError(f"{error}. Try: run export {exported.identity}") from error
    return RejectingPredictor(predictor, promise) if promise else predictor


def refuse_promise_at_other_lengths(exported: ExportedModel, promise: JsonObject | None, option: str) -> None:
    """Raise ConfigError if there is a promise, given or saved; option: that which chooses the lengths."""
    if promise or promise_in(read_calibration(exported.weights).facts, exported.labels):
        raise ConfigError(
            f"{exported.folder}: the rows behind its promise were answered at its own lengths, so the promise does not "
            f"hold at others. Leave {option}= out, or use the model without a promise"
        )
