"""The mistakes of a model whose answers are parts of a text: outcomes, by kind of question, and the worst ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from runner.mistakes.answered import Answered
from runner.mistakes.page import shortened
from runner.mistakes.plain import CsvLine, Plain, places_of
from runner.mistakes.run_data import RunData
from runner.mistakes.slicing import length_slices
from runner.record.run_names import name_of
from runner.report.page import Section
from runner.report.tables import Cell, Heading, Row, table

SHOWN = 50  # questions
LEAST_ROWS = 30  # of a slice
MOST_WORDS = 8  # first words of questions that are slices
QUARTERS = ("F1 0 to 0.25", "0.25 to 0.5", "0.5 to 0.75", "0.75 to 1")
COLUMNS = ("what", "split", "file", "row", "line", "question", "answer", "right answers", "f1", "context")
Slice = tuple[str, np.ndarray]  # its name, and which questions are in it, (questions,) bool


@dataclass(frozen=True)
class _Texts:
    """The questions of a split as their source has them."""

    questions: list[str]
    contexts: list[str]
    golds: list[list[str]]


def analyse_spans(answered: Answered, run_data: RunData | None) -> Plain:
    """Return the findings about answers that are parts of a text."""
    f1, exact = (np.asarray(answered.answers[name], np.float64) for name in ("f1", "exact"))
    outcomes = outcomes_of(answered)
    texts = _read(answered, run_data)
    order = np.lexsort((-sureness(answered), f1))  # of equally wrong ones the surest first
    rows = order[f1[order] < 1][:SHOWN]
    lines = _lines(answered, run_data, texts, rows, outcomes)
    slices = span_slices(answered, run_data)
    sections = [
        _outcomes(outcomes, f1),
        *([_of_slices(f1, exact, slices)] if slices else []),
        _worst(lines, int((f1 < 1).sum())),
    ]
    told = [f"{name}: {int(is_in.sum()):,} of {len(f1):,}." for name, is_in in outcomes[1:] if is_in.any()]
    weakest = sorted((float(f1[is_in].mean()), name) for name, is_in in slices)
    told += [f"Lowest mean F1, {weakest[0][0]:.3f}: {weakest[0][1]}."] if weakest else []
    lead = f"{int((f1 < 1).sum()):,} of {len(f1):,} questions of {answered.split} are not answered fully correctly"
    return Plain(f"Errors of {name_of(answered.record)}", lead, told, sections, COLUMNS, lines)


def sureness(answered: Answered) -> np.ndarray:
    """Return how far each question, answered or not, is from the threshold for an answer, (questions,)."""
    beyond = np.asarray(answered.answers["margin"]) - float(answered.record.setting("data.null_threshold", 0.0))
    return np.where(_is_answered(answered), -beyond, beyond)


def _is_answered(answered: Answered) -> np.ndarray:
    return np.array([bool(text) for text in answered.predictions.tolist()])


def outcomes_of(answered: Answered) -> list[Slice]:
    """Return the outcomes of answers; each question has exactly one."""
    f1, exact, has_answer = (np.asarray(answered.answers[name]) for name in ("f1", "exact", "answerable"))
    is_answered = _is_answered(answered)
    asked, right = has_answer == 1, exact == 1
    return [
        ("right", right),
        ("partly right", ~right & (f1 > 0)),
        ("another part of the text", asked & is_answered & (f1 == 0)),
        ("left unanswered although there is an answer", asked & ~is_answered & ~right),
        ("answered although there is no answer", ~asked & is_answered & ~right),
    ]


def _read(answered: Answered, run_data: RunData | None) -> _Texts | None:
    if run_data is None:
        return None
    raw = run_data.rows.raw.splits[answered.split]
    rows = np.arange(len(raw))
    columns = raw.read(rows)
    return _Texts(columns["text"], columns["text_pair"], raw.facts(rows)["_golds"])


def span_slices(answered: Answered, run_data: RunData | None) -> list[Slice]:
    """Return the questions by first word, and by the lengths of text and right answer; [] if none are available."""
    texts = _read(answered, run_data)
    if texts is None:
        return []
    first = np.array([(question.split() or [""])[0].strip("\"'¿¡").lower() for question in texts.questions])
    common = [word for word, _ in Counter(first.tolist()).most_common(MOST_WORDS)]
    words = np.array([len(golds[0].split()) if golds else 0 for golds in texts.golds])
    sizes = {
        "no answer": words == 0, "answer of 1 word": words == 1, "answer of 2 or 3 words": (words > 1) & (words < 4),
        "answer of 4 words or more": words > 3,
    }  # fmt: skip
    contexts = [(f"text: {name}", is_in) for name, is_in in length_slices(texts.contexts)]
    found = [*((f"question: {word} ...", first == word) for word in common), *sizes.items(), *contexts]
    return [(name, is_in) for name, is_in in found if is_in.sum() >= LEAST_ROWS]


def _lines(
    answered: Answered, run_data: RunData | None, texts: _Texts | None, rows: np.ndarray, outcomes: Sequence[Slice]
) -> list[CsvLine]:
    """Return the questions with these numbers, one per line of errors.csv."""
    found: list[CsvLine] = []
    for row, place in zip(rows.tolist(), places_of(answered, run_data, rows)):
        what = next(name for name, is_in in outcomes if is_in[row])
        golds = texts.golds[row] if texts else [str(answered.labels[row])]
        question, context = (texts.questions[row], texts.contexts[row]) if texts else ("", "")
        given, f1 = str(answered.predictions[row]), round(float(answered.answers["f1"][row]), 6)
        right = "; ".join(dict.fromkeys(golds))
        found.append((what, answered.split, *place, question, given, right, f1, context))
    return found


def _outcomes(outcomes: Sequence[Slice], f1: np.ndarray) -> Section:
    quarter = np.minimum(np.floor(f1 * len(QUARTERS)), len(QUARTERS) - 1)
    counts = [*((name, int(is_in.sum())) for name, is_in in outcomes),
              *((name, int((quarter == number).sum())) for number, name in enumerate(QUARTERS))]  # fmt: skip
    titles: list[Heading | str] = ["answers", Heading("questions", True), Heading("share", True)]
    lines: list[Row] = [
        [name, Cell(f"{count:,}", count), Cell(f"{count / max(1, len(f1)):.3f}", count / max(1, len(f1)))]
        for name, count in counts
    ]
    return Section("How answers end", table(titles, lines), "outcomes", ["Below: how many have an F1 in each quarter."])


def _of_slices(f1: np.ndarray, exact: np.ndarray, slices: Sequence[Slice]) -> Section:
    titles: list[Heading | str] = ["slice", *(Heading(name, True) for name in ("questions", "mean F1", "exact match"))]
    lines: list[Row] = [
        [name, Cell(f"{is_in.sum():,}", int(is_in.sum())), Cell(f"{f1[is_in].mean():.3f}", float(f1[is_in].mean())),
         Cell(f"{exact[is_in].mean():.3f}", float(exact[is_in].mean()))]
        for name, is_in in slices
    ]  # fmt: skip
    told = [f"At least {LEAST_ROWS} questions; nothing is tested."]
    return Section("Slices", table(titles, lines, is_sortable=True), "slices", told)


def _worst(lines: Sequence[CsvLine], total: int) -> Section:
    titles: list[Heading | str] = ["question", "answer", "right answers", Heading("F1", True), "what", "row"]
    rows: list[Row] = []
    for what, _, file, row, _, question, given, right, f1, _ in lines:
        cells = [Cell(shortened(str(text)), style="text") for text in (question, given, right)]
        where = f"{file} row {row}".strip()
        rows.append([*cells, Cell(f"{f1:.3f}", float(str(f1))), str(what), where])
    told = [f"The {len(lines)} lowest F1 of {total:,} answers that are not fully right."]
    return Section("Worst answers", table(titles, rows, is_sortable=True), "mistakes", told)
