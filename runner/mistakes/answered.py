"""The stored answers of a run to one split, in the forms that the pages of mistakes need."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from runner.errors import ConfigError
from runner.record.command import command_line
from runner.record.predictions import (
    calibrated_probabilities,
    read_logits,
    read_predictions,
    read_source_rows,
    read_texts,
)
from runner.record.record import RunRecord
from runner.record.status import shown_status
from runner.statistics.answers import Answers
from runner.tasks import grades_answers, task_class
from runner.tasks.make import task_of_record

WORKS_FOR = "run errors works for classes, sets of labels, numbers, tags of words, spans and rankings"


@dataclass(frozen=True)
class Answered:
    """The answers of a run to a split; rows are those of predictions-<split>.parquet, in its order."""

    record: RunRecord
    split: str
    answers: Answers
    source_rows: np.ndarray | None  # (rows,) line or row numbers in the source
    probabilities: np.ndarray | None  # (rows, C) float64; None without classes, or where logits were not kept

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the classes or tags; () for numbers."""
        return self.answers.names

    @property
    def is_of_words(self) -> bool:
        """Does a row have an answer for each word?"""
        return self.answers.offsets is not None

    @property
    def has_label_sets(self) -> bool:
        """Is a row answered with a set of labels?"""
        return task_class(self.record.data.task).has_label_sets

    @property
    def are_texts(self) -> bool:
        """Are labels and answers texts, with the task's grades beside them?"""
        return task_class(self.record.data.task).grades_texts

    @property
    def is_ranked(self) -> bool:
        """Is an answer the score of a document for a query?"""
        return "retrieved" in self.answers.columns

    @property
    def labels(self) -> np.ndarray:
        """The labels (items,)."""
        return np.asarray(self.answers["label"])

    @property
    def predictions(self) -> np.ndarray:
        """The answers (items,)."""
        return np.asarray(self.answers["prediction"])

    @property
    def is_right(self) -> np.ndarray:
        """Which items are answered correctly, (items,) bool."""
        if self.are_texts:
            return np.asarray(self.answers["exact"]) == 1
        return np.asarray(self.labels == self.predictions)

    def in_words(self, column: str) -> np.ndarray:
        """`label` or `prediction` as words, (items,): texts as they are, classes by their names."""
        values = np.asarray(self.answers[column])
        return np.where(values == "", "no answer", values) if self.are_texts else np.array(self.names)[values]

    @property
    def confidence(self) -> np.ndarray:
        """The probability of the predicted class, (rows,); 1 if unknown."""
        if self.probabilities is None:
            return np.ones(len(self.labels))
        return np.asarray(self.probabilities[np.arange(len(self.labels)), self.predictions])

    @property
    def confidence_word(self) -> str:
        """The word for `confidence`: an uncalibrated share is called a score."""
        return "confidence" if self.record.is_calibrated else "score"


def read_answered(record: RunRecord, folder: Path, split: str = "") -> Answered:
    """Return the answers of a run; split: by default the reported one whose score is the headline.

    Raises ConfigError for a run without stored answers, another split, or a task without right and wrong answers.
    """
    if record.status != "done":
        raise ConfigError(f"run {record.identity} is {shown_status(record)}. Name a finished one: run list runs")
    there = sorted(path.stem.removeprefix("predictions-") for path in folder.glob("predictions-*.parquet"))
    chosen = split or record.data.primary.partition("/")[0]
    if there and chosen not in there:
        raise ConfigError(
            f"split={chosen}: run {record.identity} has answers to {', '.join(there)}. Try: split={there[0]}"
        )
    try:
        task = task_of_record(record)
        known = grades_answers(task)
    except KeyError:
        known = False
    if not known:
        raise ConfigError(f"{WORKS_FOR}, not for {record.data.task} (run {record.identity})")
    answers = (read_texts if task.grades_texts else read_predictions)(folder, chosen, record)
    if answers is None:
        again = command_line(record, "force=true")
        raise ConfigError(f"run {record.identity} has no stored answers to {chosen}. Make them: {again}")
    found = read_logits(folder, chosen, record)
    probabilities = None if found is None or not answers.names else calibrated_probabilities(record, found[0])
    return Answered(record, chosen, answers, read_source_rows(folder, chosen), probabilities)
