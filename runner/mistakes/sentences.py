"""The findings in a few sentences, for the top of the page and for the terminal."""

from __future__ import annotations

from data.counted import counted
from runner.mistakes.findings import Findings, SuspectLabels, most_of

FEW_WORDS = 3  # classes and slices that are named
LEAST_ROWS = 10  # of a class that is named; of fewer rows nothing is known


def summary(found: Findings) -> list[str]:
    """Return which classes and slices fail, what they are confused with, and what else to look at."""
    return [*of_classes(found), *_of_pairs(found), *_of_slices(found), *_of_labels(found), *_of_texts(found)]


def of_classes(found: Findings) -> list[str]:
    """Return a sentence on each of the weakest classes, except those without a wrong row."""
    lines = []
    judged = [one for one in found.weakest if one.rows >= LEAST_ROWS] or found.weakest
    for one in judged[: min(FEW_WORDS, max(1, len(judged) - 1))]:
        if one.right == one.rows:
            continue
        taken = f"; its rows are most often answered with {most_of(one.taken_for[:2])}" if one.taken_for else ""
        if not one.right:
            lines.append(f"{one.name}: none of its {one.rows:,} rows is answered right{taken}.")
        else:
            lines.append(f"{one.name}: F1 {one.f1:.3f}, recall {one.recall} on {counted(one.rows, 'row')}{taken}.")
    return lines


def _of_pairs(found: Findings) -> list[str]:
    """Return the most frequent confusion, if there are more than two classes."""
    wrong = found.rows - found.right
    pairs = [(count, i, j) for i, row in enumerate(found.counts) for j, count in enumerate(row) if i != j and count]
    if len(found.classes) < 3 or not pairs:
        return []
    pairs.sort(reverse=True)
    count, i, j = pairs[0]
    names = [one.name for one in found.classes]
    return [f"Most frequent mistake: {names[i]} answered with {names[j]}, {count:,} of {wrong:,} mistakes."]


def _of_slices(found: Findings) -> list[str]:
    worse = sorted((one for one in found.slices if one.is_worse), key=lambda one: one.share - one.rest)
    lines = [
        f"{one.name}: {one.share:.3f} of {one.rows:,} rows right, {one.rest:.3f} of the rest."
        for one in worse[:FEW_WORDS]
        if not one.name.startswith("class ")
    ]
    if not lines and found.slices:
        lines = ["No slice of length, script or repeats is visibly worse than the rest."]
    return lines if found.no_texts is None else []


def _of_labels(found: Findings) -> list[str]:
    if not isinstance(found.suspects, SuspectLabels):
        return []
    if not found.suspects.flagged:
        why = "" if found.suspects.can_tell else f" ({found.suspects.worth})"
        kinds = found.suspects.kinds.replace(" and ", " or ")
        return [f"No {kinds} row of {found.suspects.rows:,} looks mislabelled{why}."]
    return [
        f"{len(found.suspects.flagged):,} of {found.suspects.rows:,} {found.suspects.kinds} rows may be mislabelled "
        f"({found.suspects.worth})."
    ]


def _of_texts(found: Findings) -> list[str]:
    if found.no_texts is not None:
        return [f"No texts: {found.no_texts}."]
    if found.no_train is not None:
        return [f"Not compared with the training rows: {found.no_train}."]
    copies = found.copies
    if not copies or not copies.equal:
        return []
    return [f"{counted(copies.equal, 'row has', 'rows have')} a text that is also in train."]
