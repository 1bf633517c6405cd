"""The answers of a candidate to the selection rows: of one run, or of the runs on all folds, joined by row."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from runner.errors import ConfigError
from runner.record.folder import read_record
from runner.record.predictions import read_logits, read_predictions, read_source_rows
from runner.statistics.answers import Answers, joined
from runner.statistics.label_set_scores import matrix

LOGIT = "logit"  # the column of a task that answers with sets of labels
TWICE = "a row was held out by two folds: the runs differ in data.fold_seed"
Part = tuple[Answers, np.ndarray | None]  # of one fold, with the numbers of its rows in the user's file


def selection_answers(repeats: Sequence[Sequence[Path]]) -> tuple[Answers, ...]:
    """Return the answers of a candidate to the selection rows, one for each repeat, all in the same order of rows.

    repeats: the run folders of each repeat, one per fold; [[folder]] if a split was held out. Raises ConfigError for
    a run without stored answers, and for repeats that answer other rows.
    """
    return pooled([[_part(folder) for folder in folders] for folders in repeats])


def pooled(repeats: Sequence[Sequence[Part]]) -> tuple[Answers, ...]:
    """Return the out-of-fold answers of each repeat, by the rows' numbers; in the order of the folds without numbers.

    Raises ConfigError if a row is in two folds, or in one repeat only.
    """
    found, rows = list[Answers](), list[np.ndarray | None]()
    for parts in repeats:
        answers, numbers = joined([answers for answers, _ in parts]), [own for _, own in parts if own is not None]
        if len(numbers) < len(parts):
            found.append(answers)
            rows.append(None)
            continue
        of_answers = np.concatenate(numbers)
        if answers.offsets is not None and len(of_answers) == answers.items:  # those of the documents of each query
            of_answers = of_answers[answers.offsets[:-1]]
        order = np.argsort(of_answers, kind="stable")
        found.append(answers.take(order))
        rows.append(of_answers[order])
        if (np.diff(of_answers[order]) == 0).any():
            raise ConfigError(TWICE)
    if any(len(answers) != len(found[0]) for answers in found) or not _are_equal(rows):
        raise ConfigError("the repeats held out different rows: the runs are not on the same data set")
    return tuple(found)


def held_out_logits(folders: Sequence[Path]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the rows' numbers (rows,), ascending, with their logits (rows, C) and labels from the runs of all folds.

    labels: (rows,) classes, or (rows, C) of sets of labels.

    Raises ConfigError for a run without stored logits of the rows that it held out, for a row that two held out, and
    for no run at all.
    """
    if not folders:
        raise ConfigError("no run held rows out. Try: data.folds=5")
    parts = [_logits(folder) for folder in folders]
    numbers, logits, labels = (np.concatenate(columns) for columns in zip(*parts))
    order = np.argsort(numbers, kind="stable")
    if (np.diff(numbers[order]) == 0).any():
        raise ConfigError(TWICE)
    return numbers[order], logits[order], labels[order]


def _logits(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    record = read_record(folder)
    split = str(record.data.selection).partition("/")[0] if record else ""
    found, numbers = record and read_predictions(folder, split, record), read_source_rows(folder, split)
    if record and found and numbers is not None:
        if LOGIT in found.columns:  # of each label of a set
            return numbers, matrix(found, LOGIT), matrix(found, "label")
        if logits := read_logits(folder, split, record):
            return numbers, *logits
    raise ConfigError(f"{folder} has no stored logits of the rows that it held out. Try: the command with force=true")


def _are_equal(rows: Sequence[np.ndarray | None]) -> bool:
    numbered = [own for own in rows if own is not None]
    return all(np.array_equal(own, numbered[0]) for own in numbered)


def _part(folder: Path) -> Part:
    """Return the answers of a run to its selection split."""
    record = read_record(folder)
    split = str(record.data.selection).partition("/")[0] if record else ""
    answers = record and read_predictions(folder, split, record)
    if not answers:
        raise ConfigError(
            f"{folder} has no stored answers to the selection rows. Try: the same command with force=true, in a "
            "version that stores them"
        )
    return answers, read_source_rows(folder, split)
