"""The answers of a candidate to the selection rows: of one run, or of the runs on all folds, laid together by row."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from runner.errors import ConfigError
from runner.record.folder import read_record
from runner.record.predictions import read_predictions, read_source_rows
from runner.statistics.answers import Answers, joined

Part = tuple[Answers, np.ndarray | None]  # of one fold, with the numbers of its rows in the user's file


def selection_answers(repeats: Sequence[Sequence[Path]]) -> tuple[Answers, ...]:
    """Return the answers of a candidate to the rows that select, one for each repeat, all in the same order of rows.

    repeats: the run folders of each repeat, one a fold; [[folder]] where a split was held out. Raises ConfigError for
    a run without stored answers, and for repeats that answer other rows.
    """
    return pooled([[_part(folder) for folder in folders] for folders in repeats])


def pooled(repeats: Sequence[Sequence[Part]]) -> tuple[Answers, ...]:
    """Return the out-of-fold answers of each repeat, by the rows' numbers; in the order of the folds without numbers.

    Raises ConfigError where a row is in two folds, or in one repeat only.
    """
    found, rows = list[Answers](), list[np.ndarray | None]()
    for parts in repeats:
        answers, numbers = joined([answers for answers, _ in parts]), [own for _, own in parts if own is not None]
        if len(numbers) < len(parts):
            found.append(answers)
            rows.append(None)
            continue
        of_answers = np.concatenate(numbers)
        order = np.argsort(of_answers, kind="stable")
        found.append(answers.take(order))
        rows.append(of_answers[order])
        if (np.diff(of_answers[order]) == 0).any():
            raise ConfigError("a row was held out by two folds: the runs are not of one data.fold_seed")
    if any(len(answers) != len(found[0]) for answers in found) or not _are_equal(rows):
        raise ConfigError("the repeats held out other rows: the runs are not of one data set")
    return tuple(found)


def _are_equal(rows: Sequence[np.ndarray | None]) -> bool:
    numbered = [own for own in rows if own is not None]
    return all(np.array_equal(own, numbered[0]) for own in numbered)


def _part(folder: Path) -> Part:
    """The answers of a run to its selection split."""
    record = read_record(folder)
    split = str(record.data.selection).partition("/")[0] if record else ""
    answers = record and read_predictions(folder, split, record)
    if not answers:
        raise ConfigError(
            f"{folder} has no stored answers to the rows that select. Try: the same command with force=true, in a "
            "version that stores them"
        )
    return answers, read_source_rows(folder, split)
