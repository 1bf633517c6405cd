"""Predicts on sounds with the reader that a bundle has: NumPy and no torch; files are decoded as for training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from data.inputs.request import Asked
from data.inputs.sound import Sound
from data.inputs.sound_features import SoundFeatures
from runner.deploy.answer_table import Answer
from runner.deploy.bundle.sound import Sound as Reader
from runner.deploy.exported import ExportedModel
from runner.deploy.packed_predictor import PackedPredictor


class PackedSounds(PackedPredictor):
    """A loaded model.bin of kind `sound` with the facts of its run; ConfigError for a damaged one."""

    def __init__(self, exported: ExportedModel) -> None:
        super().__init__(exported)
        self.reader: Reader = self.model._scorer
        self.input = Sound.for_questions(features_of(self.reader), exported.columns, exported.options)
        self.request_fields = self.input.request()

    def ask(self, texts: Sequence[Any], pairs: Sequence[str] | None = None) -> Asked:  # type: ignore[override]
        """Make sounds ready, each the content of a file or its path; longer ones are cut and counted."""
        return self.input.ask([texts], self.exported.max_length)

    def answers(self, asked: Any, batch_size: int) -> list[Answer]:
        """Return one answer for each sound; they are answered one by one, so that batch_size has no effect."""
        rows = (self.input.collate(asked.split, np.array([row])) for row in range(len(asked.split)))
        return [self.model.answer(self.reader.network.logits(row["input_ids"][0])) for row in rows]

    def __call__(self, texts: Sequence[Any], pairs: Sequence[str] | None = None, batch_size: int = 32) -> list[Answer]:
        """Return one answer for each sound."""
        return self.answers(self.ask(texts), batch_size) if len(texts) else []


def features_of(reader: Reader) -> SoundFeatures:
    """Return the features that a model.bin reads, with their scaling."""
    mean, sd = (tuple(map(float, values)) for values in (reader.mean, reader.sd))
    return SoundFeatures(
        reader.kind, reader.rate, reader.seconds, reader.average, reader.has_first, mean, sd, stack=reader.stack
    )
