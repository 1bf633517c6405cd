"""Checks the model that the pairs are for: it must predict masked words. Nothing heavy is imported."""

from __future__ import annotations

from runner.errors import ConfigError
from runner.record.record import RunRecord
from runner.record.subject import KEY
from runner.tasks.make import task_of_record

WORDS = "words"  # the head that scores every word of the vocabulary
TRAIN_ONE = "Try: run task=mlm model=bert-tiny data=imdb data.split=unsupervised, then: run blimp from=<its id>"


def check_words(record: RunRecord) -> None:
    """Raise ConfigError for a run whose model predicts no masked words."""
    if task_of_record(record).head().name != WORDS:
        raise ConfigError(
            f"{KEY}={record.identity}: is a run of task={record.data.task}, so it has no head for masked words. "
            f"{TRAIN_ONE}"
        )
