"""Turns stored answers and texts into findings about the mistakes of a run with classes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from data.calibration import CALIBRATION, rows_behind
from runner.mistakes.answered import Answered
from runner.mistakes.findings import (
    ClassScores,
    Copies,
    Copy,
    Findings,
    Mistake,
    Near,
    SuspectLabel,
    SuspectLabels,
)
from runner.mistakes.neighbours import NO_COPIES, near_copies, nearest
from runner.mistakes.out_of_fold import out_of_fold
from runner.mistakes.run_data import Place, RunData, read_run_data
from runner.mistakes.slicing import slices_of
from runner.record.run_names import name_of
from runner.statistics.confusion import confusion_of
from runner.statistics.label_errors import find_label_errors
from runner.statistics.slices import against_the_rest

SHOWN = 50  # of the most confident mistakes, and of the other lists
PARTNERS = 3  # classes named beside a class


def analyse(
    answered: Answered, cache: Path, notify: Callable[[str], None], *, label_errors: bool, every_row: bool = False
) -> Findings:
    """Return the findings about the mistakes of a run.

    label_errors: also look for rows that may be mislabelled; every_row: among all training rows, not a sample of many.
    """
    record, names = answered.record, answered.names
    counts = confusion_of(answered.labels, answered.predictions, len(names))
    run_data = read_run_data(answered, cache)
    there = None if isinstance(run_data, str) else run_data
    texts = there.texts(answered.split) if there else []
    mistakes = _mistakes(answered, there, texts)
    trains_too = (
        rows_behind(answered.split) == "train"
    )  # answered by the runs of the folds, so each row is its own copy
    readable = there if there and there.holds_texts else None
    no_train = there.no_train if there else None
    is_compared = not trains_too and no_train is None
    slices = against_the_rest(answered.is_right, slices_of(answered, there, texts))
    suspects: SuspectLabels | str = "left out (label_errors=false)"
    if readable and label_errors:
        suspects = no_train or _suspects(readable, notify, every_row=every_row)
    elif there and label_errors:
        suspects = "label errors are sought with n-gram models, but these rows are sounds"
    elif isinstance(run_data, str):
        suspects = run_data
    return Findings(
        name_of(record), record.identity, answered.split, len(answered.labels), int(answered.is_right.sum()),
        _classes(names, counts), counts.tolist(), answered.confidence_word, mistakes,
        _with_neighbours(mistakes[:SHOWN], readable if is_compared else None, names), tuple(slices),
        suspects, _copies(answered, there, texts) if there and is_compared else None,
        run_data if isinstance(run_data, str) else None, answered.probabilities is not None, no_train=no_train,
    )  # fmt: skip


def _classes(names: Sequence[str], counts: np.ndarray) -> tuple[ClassScores, ...]:
    def partners(values: np.ndarray, own: int) -> tuple[tuple[str, int], ...]:
        order = [k for k in np.argsort(-values, kind="stable") if k != own and values[k]]
        return tuple((names[int(k)], int(values[k])) for k in order[:PARTNERS])

    return tuple(
        ClassScores(
            name, int(counts[k].sum()), int(counts[:, k].sum()), int(counts[k, k]),
            partners(counts[k], k),
        )
        for k, name in enumerate(names)
    )  # fmt: skip


def _mistakes(answered: Answered, run_data: RunData | None, texts: Sequence[str]) -> tuple[Mistake, ...]:
    """Return all rows that are answered wrongly, the most confident first."""
    wrong = np.flatnonzero(~answered.is_right)
    confidence = answered.confidence
    wrong = wrong[np.argsort(-confidence[wrong], kind="stable")]
    places: list[Place | None] = [None] * len(wrong)
    if run_data is not None:
        places = [*run_data.places(answered.split, run_data.source_rows(answered.split)[wrong])]
    shares, names = answered.probabilities, answered.names
    return tuple(
        Mistake(
            int(row), names[answered.labels[row]], names[answered.predictions[row]], float(confidence[row]),
            None if shares is None else float(shares[row, answered.labels[row]]), place,
            texts[row] if run_data is not None else None,
        )
        for row, place in zip(wrong.tolist(), places)
    )  # fmt: skip


def _with_neighbours(
    mistakes: Sequence[Mistake], run_data: RunData | None, names: Sequence[str]
) -> tuple[Mistake, ...]:
    """Return the mistakes with the training rows near them."""
    if run_data is None or not mistakes or not run_data.holds_texts:
        return tuple(mistakes)
    train, labels = run_data.train_texts, run_data.train_labels
    found = nearest(train, [str(one.text) for one in mistakes])
    rows = sorted({near.row for near_rows in found for near in near_rows})
    places = dict(zip(rows, run_data.places("train", run_data.source_rows("train")[rows])))
    shown = []
    for one, near_rows in zip(mistakes, found):
        near = tuple(Near(places[n.row], names[labels[n.row]], train[n.row], n.similarity) for n in near_rows)
        shown.append(Mistake(**(vars(one) | {"near": near})))
    return tuple(shown)


def _suspects(run_data: RunData, notify: Callable[[str], None], *, every_row: bool) -> SuspectLabels | str:
    """Return the training rows that may be mislabelled, or why they are unknown, in words."""
    found = out_of_fold(run_data, notify, every_row=every_row)
    if isinstance(found, str):
        return found
    flagged = find_label_errors(found.labels, found.probabilities)
    is_apart = found.is_elsewhere | run_data.are_apart(found.source_rows)
    names = run_data.rows.raw.target.names
    is_elsewhere, suspects = found.is_elsewhere[flagged.rows], dict[int, SuspectLabel]()
    for source, rows in (("train", flagged.rows[~is_elsewhere]), (CALIBRATION, flagged.rows[is_elsewhere])):
        if not len(rows):
            continue
        numbers = found.source_rows[rows]
        texts, places = run_data.texts_by_number(numbers, source), run_data.places(source, numbers)
        for row, place, text in zip(rows.tolist(), places, texts):
            label, likelier = int(found.labels[row]), int(flagged.confident[row])
            of_label, of_likelier = (float(found.probabilities[row, one]) for one in (label, likelier))
            split = CALIBRATION if is_apart[row] else "train"
            suspects[row] = SuspectLabel(place, names[label], names[likelier], of_label, of_likelier, text, split)
    shown = tuple(suspects[row] for row in flagged.rows.tolist())
    majority = float(np.bincount(found.labels).max() / len(found.labels))
    return SuspectLabels(shown, len(found.labels), found.accuracy, int(is_apart.sum()), found.left_out, majority)


def _copies(answered: Answered, run_data: RunData, texts: Sequence[str]) -> Copies:
    """Return the rows of the split that are also in train: equal texts by hash, near-duplicates in a sample."""
    split, labels = answered.split, answered.labels
    own, theirs = run_data.hashes(split), run_data.hashes("train")
    equal = np.flatnonzero(np.isin(own, theirs))
    train_labels = run_data.train_labels
    known = set(zip(theirs.tolist(), train_labels.tolist())) if len(equal) else set()
    other = [int(row) for row in equal if (int(own[row]), int(labels[row])) not in known]
    near = near_copies(run_data.train_texts, texts) if run_data.holds_texts else NO_COPIES
    is_other = CALIBRATION in run_data.rows.raw.splits and split != CALIBRATION
    apart = int(np.isin(own, run_data.hashes(CALIBRATION)).sum()) if is_other else None
    first = _first_rows(theirs)
    seen = set(equal.tolist())
    same = sorted(seen.difference(other))
    rows = [(row, first[int(own[row])], 1.0) for row in [*other, *same]]
    almost = [
        (int(row), int(train), float(similarity))
        for row, train, similarity in zip(near.rows, near.train_rows, near.similarity)
        if int(row) not in seen
    ]
    rows = [*rows[: SHOWN // 2], *almost[: SHOWN // 2]]
    chosen = np.array([row for row, _, _ in rows], np.int64)
    theirs_chosen = np.array([train for _, train, _ in rows], np.int64)
    places = run_data.places(split, run_data.source_rows(split)[chosen])
    train_places = run_data.places("train", run_data.source_rows("train")[theirs_chosen])
    shown = tuple(
        Copy(
            place, train_place, answered.names[labels[row]], answered.names[train_labels[train]], similarity, texts[row]
        )
        for (row, train, similarity), place, train_place in zip(rows, places, train_places)
    )
    return Copies(
        len(equal), int(answered.is_right[equal].sum()), len(other), len({row for row, _, _ in almost}),
        near.looked_up, near.compared_with, shown, apart,
    )  # fmt: skip


def _first_rows(hashes: np.ndarray) -> dict[int, int]:
    values, first = np.unique(hashes, return_index=True)
    return dict(zip(values.tolist(), first.tolist()))
