"""The answers of `run predict`: of one text for a person, of many rows into a file or onto standard output."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.counted import counted
from data.inputs.request import Field
from runner.deploy.answer_table import Answer, answer_row, as_cell, names_beside
from runner.deploy.bundle.rejection import UNSURE
from runner.deploy.exported import ExportedModel
from runner.deploy.predictors import AnyPredictor
from runner.deploy.promise import Promise
from runner.deploy.rejecting import RejectingPredictor, open_answering, promised
from runner.deploy.streams import Row, RowWriter, as_words, chunks_as_they_arrive, open_output, row_chunks
from runner.errors import ConfigError
from runner.sanitize import say

NO_LABEL, NO_ANSWER = "no label", "no answer"  # shown for an empty set of labels, and for another empty answer
CHUNK = 2048  # rows of a file that are in memory at a time; they are batched by length


def text_or_words(value: Any) -> Any:
    """Return a cell as a text, or as a list of words if it is one."""
    words = as_words(value)
    return str(value) if words is None else words


@dataclass(frozen=True)
class AnswerOptions:
    """How rows are answered, and where the answers go."""

    columns: list[str]  # of the texts
    batch_size: int
    threads: int
    out: Path | None  # None: standard output
    form: str  # csv | jsonl
    is_live: bool  # answer the rows that have arrived, without waiting for a full chunk
    promise: Promise | None = None  # on the share of errors
    read: Callable[[Any], Any] = text_or_words  # makes a cell of the columns a question: a text, its words, or a sound
    chunk: int = CHUNK


def answer_text(exported: ExportedModel, threads: int, texts: Sequence[Any], promise: Promise | None) -> None:
    """Print the answer to one text, one pair of texts, or one sound."""
    predictor = open_answering(exported, threads, promise)
    say_promise(predictor)
    answer = predictor(texts[:1], texts[1:] or None)[0]
    print_answer(answer, predictor.answer_fields)
    for shares in shares_of(answer, predictor.answer_fields):
        say(f"  {predictor.calibration.describe(max(shares.values()))}")


def shares_of(answer: Answer, fields: Sequence[Field]) -> list[dict[str, float]]:
    """Return the parts of an answer that are shares by label: one, or none if answers are numbers or tags."""
    return [answer[field.name] for field in fields if field.type == "shares"]


def print_answer(answer: Answer, fields: Sequence[Field]) -> None:
    """Print one answer: a text, label or number on one line, each share and span on its own; tags only go to files."""
    nothing = NO_LABEL if any(field.type == "labels" for field in fields) else NO_ANSWER
    for field in fields:
        value = answer[field.name]
        if field.type == "number":
            say(number_text(value))
        elif field.type == "shares":
            for name, share in sorted(value.items(), key=lambda item: -item[1]):
                say(f"  {share:.4f}  {name}")
        elif field.type == "spans":
            for span in value:
                say(f"  {span['score']:.4f}  {span['type']}  {span['text']}  ({span['start']}-{span['end']})")
        elif field.type not in ("tags", "labels"):
            say((value or nothing) if field is fields[0] else f"{field.meaning}: {value}")


def number_text(value: float) -> str:
    """Return a number with four decimals, or four significant digits if it is below 1."""
    return f"{value:.4f}" if abs(value) >= 1 else f"{value:.4g}"


def answer_rows(exported: ExportedModel, rows: Iterator[Row], options: AnswerOptions) -> None:
    """Write each row with its answer, then print the number of rows and of truncated texts."""
    predictor = open_answering(exported, options.threads, options.promise)
    say_promise(predictor)
    count, cut, unsure, longest = 0, 0, 0, exported.max_length
    names: dict[str, str] = {}  # of the columns of answers, by those of the first rows: a table has one heading
    with open_output(options.out) as target:
        writer = RowWriter(target, options.form)
        size = options.batch_size
        for chunk in chunks_as_they_arrive(rows, size) if options.is_live else row_chunks(rows, options.chunk):
            names = names or names_beside(predictor.answer_fields, {name for row in chunk for name in row})
            answers, lost, longest = answer_chunk(predictor, chunk, options, names)
            writer.write(answers)
            count, cut = count + len(chunk), cut + lost
            unsure += sum(row["prediction"] == UNSURE for row in answers)
    unit = "frames" if exported.reads_sounds else "tokens"
    truncated = f", {cut:,} of them longer than {longest} {unit} and cut" if cut else ""
    answered = f", {count - unsure:,} of them answered" if isinstance(predictor, RejectingPredictor) else ""
    say(f"{counted(count, 'row')}{answered}{truncated}" + (f": {options.out}" if options.out else ""), sys.stderr)
    for name, written in names.items():
        if written != name:
            say(f"note: the rows have a column {name!r}, so that of the answers is {written!r}", sys.stderr)
    has_shares = any(field.type == "shares" for field in predictor.answer_fields)
    if has_shares and not predictor.calibration.is_calibrated:
        say(f"note: p_<label> are {predictor.calibration.about()}", sys.stderr)


def say_promise(predictor: AnyPredictor) -> None:
    """Print the promise that the answers keep, if there is one, on standard error."""
    for sentence in promised(predictor):
        say(sentence, sys.stderr)


def answer_chunk(
    predictor: AnyPredictor, rows: list[Row], options: AnswerOptions, names: Mapping[str, str]
) -> tuple[list[Row], int, int]:
    """The rows with their answers as further columns, how many texts were cut, and the tokens that one may have.

    names: what each column of an answer is called, from `names_beside`.
    """
    fields = predictor.answer_fields
    if clash := set(names.values()) & {name for row in rows for name in row}:  # in JSON, rows differ
        raise ConfigError(f"there is a column {min(clash)!r} already, and the answers need that name. Rename it")
    first, *second = ([options.read(row[column]) for row in rows] for column in options.columns)
    asked = predictor.ask(first, second[0] if second else None)
    found = [answer_row(answer, fields) for answer in predictor.answers(asked, options.batch_size)]
    made = [row | {names[name]: value for name, value in answer.items()} for row, answer in zip(rows, found)]
    if options.form == "csv":
        made = [{name: as_cell(value) for name, value in row.items()} for row in made]
    return made, int(asked.is_cut.sum()), asked.longest or predictor.exported.max_length
