"""The mistakes of a tagger: what each tag is confused with, and the sentences with the most wrong tags."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from data.counted import counted
from runner.mistakes.answered import Answered
from runner.mistakes.findings import ClassScores, most_of
from runner.mistakes.page import shortened
from runner.mistakes.plain import CsvLine, Plain, RowPlace, places_of
from runner.mistakes.run_data import RunData
from runner.record.run_names import name_of
from runner.report.confusion import confusion
from runner.report.page import Section
from runner.report.tables import Cell, Heading, Row, table
from runner.statistics.confusion import confusion_of
from runner.statistics.tag_scores import SECOND

SHOWN = 50  # sentences
PARTNERS = 3  # tags named beside a tag
FEW = 5  # tags in the summary
COLUMNS = ("what", "split", "file", "row", "line", "wrong", "which", "text")
Line = tuple[RowPlace, int, str, str]


def analyse_tags(answered: Answered, run_data: RunData | None) -> Plain:
    """Return the findings about answers that are tags of words; for words with two tags, about the first."""
    names = answered.names
    counts = confusion_of(answered.labels, answered.predictions, len(names))
    scores = [_scores(names, counts, k) for k in range(len(names))]
    weakest = sorted((one for one in scores if one.rows), key=lambda one: (one.f1, -one.rows))
    written = _sentences(answered, run_data)
    sections = [
        _tags(weakest),
        Section("Confusion matrix", confusion(names, counts.tolist()), "confusion",
                ["Rows are labels, columns answers; the tint is the share of the row."]),
        _worst(written),
    ]  # fmt: skip
    told = [
        f"{one.name}: F1 {one.f1:.3f} on {counted(one.rows, 'word')}; "
        f"most often answered with {most_of(one.taken_for)}."
        for one in weakest[:FEW]
        if one.taken_for
    ]
    wrong = int((~answered.is_right).sum())
    columns = answered.answers.columns
    if f"{SECOND}label" in columns:
        others = int((columns[f"{SECOND}label"] != columns[f"{SECOND}prediction"]).sum())
        told.append(
            f"All of this is about the first tag of a word; the second is wrong for {others:,} of "
            f"{len(answered.labels):,} words, which are not shown."
        )
    lead = f"{wrong:,} of {len(answered.labels):,} words of {answered.split} are tagged wrongly"
    lines: list[CsvLine] = [("wrong tags", answered.split, *line[0], *line[1:]) for line in written]
    return Plain(f"Errors of {name_of(answered.record)}", lead, told, sections, COLUMNS, lines)


def _scores(names: Sequence[str], counts: np.ndarray, own: int) -> ClassScores:
    order = [int(k) for k in np.argsort(-counts[own], kind="stable") if k != own and counts[own, k]]
    taken = tuple((names[k], int(counts[own, k])) for k in order[:PARTNERS])
    return ClassScores(names[own], int(counts[own].sum()), int(counts[:, own].sum()), int(counts[own, own]), taken)


def _sentences(answered: Answered, run_data: RunData | None) -> list[Line]:
    """Return the sentences with the most wrong tags: where they are, how many tags, which, and the text."""
    offsets = np.asarray(answered.answers.offsets)
    names, labels, given = answered.names, answered.labels, answered.predictions
    wrong = np.flatnonzero(~answered.is_right)
    in_row = np.bincount(np.searchsorted(offsets, wrong, side="right") - 1, minlength=len(offsets) - 1)
    rows = np.argsort(-in_row, kind="stable")[:SHOWN]
    rows = rows[in_row[rows] > 0]
    texts = run_data.texts(answered.split, rows) if run_data else [""] * len(rows)
    found = []
    for row, place, text in zip(rows.tolist(), places_of(answered, run_data, rows), texts):
        start, end = int(offsets[row]), int(offsets[row + 1])
        words = text.split(" ")
        if len(words) != end - start:  # not known, or other words than the tagged ones
            words = [f"word {number + 1}" for number in range(end - start)]
        which = [
            f"{words[item - start]}: {names[labels[item]]} answered {names[given[item]]}"
            for item in wrong[(wrong >= start) & (wrong < end)].tolist()
        ]
        found.append((place, len(which), "; ".join(which), text))
    return found


def _tags(weakest: Sequence[ClassScores]) -> Section:
    titles: list[Heading | str] = [
        "tag", *(Heading(name, True) for name in ("words", "recall", "precision", "F1")), "most often answered with",
    ]  # fmt: skip
    lines: list[Row] = [
        [one.name, Cell(f"{one.rows:,}", one.rows), Cell(one.recall, one.right / max(1, one.rows)),
         Cell(one.precision, one.right / max(1, one.answered)), Cell(f"{one.f1:.3f}", one.f1), most_of(one.taken_for)]
        for one in weakest
    ]  # fmt: skip
    told = ["Counts are of words, lowest F1 first; Wilson 95 % intervals, as if words were independent."]
    return Section("Tags", table(titles, lines, is_sortable=True), "classes", told)


def _worst(found: Sequence[Line]) -> Section:
    titles: list[Heading | str] = ["text", Heading("wrong", True), "which", "row"]
    lines: list[Row] = [
        [
            Cell(shortened(text), style="text"),
            Cell(f"{count:,}", count),
            Cell(shortened(which), style="text"),
            str(place),
        ]
        for place, count, which, text in found
    ]
    return Section("Sentences with the most wrong tags", table(titles, lines, is_sortable=True), "mistakes")
