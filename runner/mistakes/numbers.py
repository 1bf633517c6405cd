"""The largest errors of a regression, and the mean error of quarters of the labels and of slices of the texts."""

from __future__ import annotations

import numpy as np

from runner.mistakes.answered import Answered
from runner.mistakes.page import shortened
from runner.mistakes.plain import CsvLine, Plain, RowPlace, places_of
from runner.mistakes.run_data import RunData
from runner.mistakes.slicing import length_slices, script_slices
from runner.record.run_names import name_of
from runner.report.page import Section
from runner.report.tables import Cell, Heading, Row, table

SHOWN = 50
LEAST_ROWS = 30  # of a slice
COLUMNS = ("what", "split", "file", "row", "line", "label", "prediction", "error", "text")


def analyse_numbers(answered: Answered, run_data: RunData | None) -> Plain:
    """Return the findings about answers that are numbers."""
    labels, given = (np.asarray(values, np.float64) for values in (answered.labels, answered.predictions))
    errors = given - labels
    rows = np.argsort(-np.abs(errors), kind="stable")[:SHOWN]
    texts = run_data.texts(answered.split) if run_data else []
    places = places_of(answered, run_data, rows)
    written = [
        (place, _digits(labels[row]), _digits(given[row]), _digits(errors[row]), texts[row] if texts else "")
        for row, place in zip(rows.tolist(), places)
    ]
    sentences = [f"Mean error {errors.mean():+.4g}, mean absolute error {np.abs(errors).mean():.4g}."]
    if written:
        sentences.append(f"Largest error: {written[0][3]:+.4g} ({places[0]}, label {written[0][1]:.4g}).")
    slices = [*label_quarters(labels), *([*length_slices(texts), *script_slices(texts)] if texts else [])]
    sections = [_largest(written, len(errors), has_text=bool(texts)), _slices(errors, slices)]
    lead = f"{len(errors):,} rows of {answered.split}"
    lines: list[CsvLine] = [("largest error", answered.split, *line[0], *line[1:]) for line in written]
    return Plain(f"Errors of {name_of(answered.record)}", lead, sentences, sections, COLUMNS, lines)


def _digits(value: float) -> float:
    """Return a number with the digits that float32 holds."""
    return float(f"{value:.7g}")


def label_quarters(labels: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """Return the quarters of the rows by their label, (rows,) bool each; equal labels stay together."""
    quarter = np.searchsorted(np.quantile(labels, (0.25, 0.5, 0.75)), labels, side="left")
    return [
        (f"labels {labels[quarter == k].min():.4g} to {labels[quarter == k].max():.4g}", quarter == k)
        for k in np.unique(quarter)
    ]


def _largest(found: list[tuple[RowPlace, float, float, float, str]], total: int, *, has_text: bool) -> Section:
    titles: list[Heading | str] = [
        *(["text"] if has_text else []), *(Heading(name, True) for name in ("label", "prediction", "error")), "row",
    ]  # fmt: skip
    lines: list[Row] = [
        [*([Cell(shortened(text), style="text")] if has_text else []), Cell(f"{label:.4g}", label),
         Cell(f"{given:.4g}", given), Cell(f"{error:+.4g}", error), str(place)]
        for place, label, given, error, text in found
    ]  # fmt: skip
    told = [f"The {len(found)} largest of {total:,}. Row: of your file, 1 is the first below the header."]
    return Section("Largest errors", table(titles, lines, is_sortable=True), "mistakes", told)


def _slices(errors: np.ndarray, slices: list[tuple[str, np.ndarray]]) -> Section:
    titles: list[Heading | str] = [
        "slice", *(Heading(name, True) for name in ("rows", "mean error", "mean absolute error")),
    ]  # fmt: skip
    lines: list[Row] = [
        [name, Cell(f"{is_in.sum():,}", int(is_in.sum())),
         Cell(f"{errors[is_in].mean():+.4g}", float(errors[is_in].mean())),
         Cell(f"{np.abs(errors[is_in]).mean():.4g}", float(np.abs(errors[is_in]).mean()))]
        for name, is_in in slices
        if is_in.sum() >= LEAST_ROWS
    ]  # fmt: skip
    told = ["A mean error above 0: answers are too high there. At least 30 rows; nothing is tested."]
    return Section("Slices", table(titles, lines, is_sortable=True), "slices", told)
