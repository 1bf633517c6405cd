"""Predicts with the reader that a bundle has: NumPy and the standard library, no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from data.inputs.request import Field
from data.inputs.text import text_fields
from runner.deploy.answer_table import Answer, worded_fields
from runner.deploy.bundle.calibration import Calibration
from runner.deploy.bundle.predict import Model, ModelFileError
from runner.deploy.exported import ExportedModel
from runner.errors import ConfigError
from runner.tasks.make import task_of_export


@dataclass(frozen=True)
class AskedTexts:
    """Texts, or pairs of texts, and their lengths."""

    texts: Sequence[str]
    pairs: Sequence[str] | None
    lengths: np.ndarray  # (questions,) tokens of each, before any were cut
    is_cut: np.ndarray  # (questions,) bool: did it lose tokens because the model reads fewer?
    longest: int | None = None  # it cuts questions where the model does


class PackedPredictor:
    """A loaded model.bin with the facts of its run; ConfigError for a damaged one, or one of another run."""

    def __init__(self, exported: ExportedModel) -> None:
        self.exported = exported
        self.request_fields: tuple[Field, ...] = text_fields(len(exported.columns))
        fields = task_of_export(exported.task, exported.labels, exported.facts).answer_fields()
        try:
            self.model = Model(exported.weights)
        except (ModelFileError, OSError) as error:
            raise ConfigError(f"{error}. Try: run it again with force=true, or engine=torch") from error
        if self.model.labels != exported.labels or self.model.reads != len(exported.columns):
            found = f"{len(self.model.labels)} labels, {self.model.reads} texts"
            wanted = f"{len(exported.labels)} labels, {len(exported.columns)} texts"
            raise ConfigError(
                f"{exported.folder}: its files do not match: {found} in {exported.weights.name}, {wanted} in "
                "the record. Try: run it again with force=true"
            )
        self.calibration: Calibration = self.model.calibration
        self.model.promise = None  # kept by RejectingPredictor, whatever the engine
        self.answer_fields = worded_fields(fields, self.calibration)

    def ask(self, texts: Sequence[str], pairs: Sequence[str] | None = None) -> AskedTexts:
        """Count the tokens of texts, or of pairs of texts."""
        lengths = self.model.lengths(texts, pairs)
        return AskedTexts(texts, pairs, lengths, lengths > self.model.max_length)

    def answers(self, asked: AskedTexts, batch_size: int) -> list[Answer]:
        """Return one answer for each question; texts are answered one by one, so that batch_size has no effect."""
        return self(asked.texts, asked.pairs)

    def __call__(self, texts: Sequence[str], pairs: Sequence[str] | None = None, batch_size: int = 32) -> list[Answer]:
        """Return one answer for each text or pair of texts; long texts are cut."""
        found: list[Answer] = self.model(texts, pairs)
        return found
