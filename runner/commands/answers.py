"""The answers of `run predict`: of one text for a person, of many rows into a file or onto standard output."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.deploy.exported import ExportedModel
from runner.deploy.predictor import Predictor, answer_row
from runner.deploy.streams import RowWriter, chunks_as_they_arrive, open_output, row_chunks
from runner.errors import ConfigError
from runner.sanitize import say

CHUNK = 2048  # rows of a file in memory at a time, put into batches by length


@dataclass(frozen=True)
class AnswerOptions:
    """How rows are answered and where to."""

    columns: list[str]  # of the texts
    batch_size: int
    threads: int
    out: Path | None  # None: standard output
    form: str  # csv | jsonl
    is_live: bool  # answer the rows that are there, without waiting for more


def answer_text(exported: ExportedModel, threads: int, texts: list[str]) -> None:
    """Print the answer to one text, or one pair of texts."""
    print_answer(Predictor(exported, threads)(texts[:1], texts[1:] or None)[0])


def print_answer(answer: dict[str, Any]) -> None:
    """Print one answer: the label and the probability of each class, or the number."""
    shares = answer.get("probabilities")
    say(answer["prediction"] if shares else number_text(answer["prediction"]))
    for name, share in sorted((shares or {}).items(), key=lambda item: -item[1]):
        say(f"  {share:.4f}  {name}")


def number_text(value: float) -> str:
    """Four digits behind the point, or four significant ones for a value below 1."""
    return f"{value:.4f}" if abs(value) >= 1 else f"{value:.4g}"


def answer_rows(exported: ExportedModel, rows: Iterator[dict[str, Any]], options: AnswerOptions) -> None:
    """Write each row with its answer; the number of rows, and of truncated texts, is printed at the end."""
    predictor = Predictor(exported, options.threads)
    count, cut = 0, 0
    with open_output(options.out) as target:
        writer = RowWriter(target, options.form)
        size = options.batch_size
        for chunk in chunks_as_they_arrive(rows, size) if options.is_live else row_chunks(rows, CHUNK):
            answers, lost = answer_chunk(predictor, chunk, options.columns, size)
            writer.write(answers)
            count, cut = count + len(chunk), cut + lost
    truncated = f", {cut:,} of them longer than {exported.max_length} tokens and cut" if cut else ""
    say(f"{count:,} rows{truncated}" + (f": {options.out}" if options.out else ""), sys.stderr)


def answer_chunk(
    predictor: Predictor, rows: list[dict[str, Any]], columns: list[str], batch_size: int
) -> tuple[list[dict[str, Any]], int]:
    """The rows with their answers as further columns, and how many texts were cut."""
    if clash := set(predictor.exported.answer_columns) & rows[0].keys():
        raise ConfigError(f"there is a column {min(clash)!r} already, which answers are written to. Rename it")
    first, *second = ([str(row[column]) for row in rows] for column in columns)
    split = predictor.encode(first, second[0] if second else None)
    answers = predictor.answers(split, batch_size)
    return [row | answer_row(found) for row, found in zip(rows, answers)], split.truncated
