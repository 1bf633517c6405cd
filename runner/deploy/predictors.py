"""Opens a deployed model with the code that its engine needs; torch is imported only for a model that runs on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np

from data.inputs.request import Field
from runner.deploy.answer_table import Answer
from runner.deploy.bundle.calibration import Calibration
from runner.deploy.exported import ExportedModel
from runner.deploy.packed_predictor import PackedPredictor
from runner.deploy.packed_sounds import PackedSounds


class Questions(Protocol):
    """Questions prepared for a model."""

    @property
    def lengths(self) -> np.ndarray:
        """The tokens of each question, (questions,), before any were cut."""

    @property
    def is_cut(self) -> np.ndarray:
        """Whether each was cut because the model reads fewer tokens, (questions,) bool."""

    @property
    def longest(self) -> int | None:
        """How many tokens of a question are kept; None: as many as the model reads."""


class AnyPredictor(Protocol):
    """A loaded model that answers questions."""

    @property
    def exported(self) -> ExportedModel:
        """The files that it was loaded from."""

    @property
    def calibration(self) -> Calibration:
        """How its logits become probabilities."""

    @property
    def request_fields(self) -> tuple[Field, ...]:
        """The parts of a question."""

    @property
    def answer_fields(self) -> tuple[Field, ...]:
        """The parts of an answer."""

    def ask(self, texts: Sequence[Any], pairs: Sequence[str] | None = None) -> Questions:
        """Prepare texts, or pairs of texts, for the model; those longer than it reads are cut and counted."""

    def answers(self, asked: Any, batch_size: int) -> list[Answer]:
        """Return one answer for each question; asked: as `ask` returned it."""

    def __call__(self, texts: Sequence[Any], pairs: Sequence[str] | None = None, batch_size: int = 32) -> list[Answer]:
        """Return one answer for each text or pair of texts; long texts are cut."""


@runtime_checkable
class KeepsTime(Protocol):
    """A predictor with searched lengths that may spend a given number of milliseconds on each text."""

    max_ms: float  # where a question does not say

    def describe(self) -> str:
        """Return a sentence for the terminal on how fast texts are answered."""

    def tokens(self, asked: Any) -> Sequence[int]:
        """Return how many tokens of each question are read."""

    def least_ms(self, tokens: int) -> float:
        """Return the time of the fastest lengths for a text of this many tokens."""

    def answers_within(self, asked: Any, limits: Sequence[float], batch_size: int) -> list[Answer]:
        """Return one answer for each question, within its own limit in milliseconds; asked: as `ask` returned it."""


def open_predictor(exported: ExportedModel, threads: int = 1, max_ms: float | None = None) -> AnyPredictor:
    """Load a model to predict on `threads` threads; raise ConfigError for damaged files.

    max_ms: for each text, of a model with searched lengths.
    """
    if exported.engine == "numpy":
        return PackedSounds(exported) if exported.reads_sounds else PackedPredictor(exported)
    from runner.deploy import timed_lengths  # late: torch

    if max_ms is not None:
        return timed_lengths.TimedPredictor(exported, threads, max_ms)
    return timed_lengths.Predictor(exported, threads)
