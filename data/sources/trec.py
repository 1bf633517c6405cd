"""The files of a test collection in the formats of TREC, MS MARCO and BEIR: queries, documents, judgements (qrels) and
candidates (a run).

queries, documents   id <tab> text, or id <tab> title <tab> text, with or without a header; or JSON lines and Parquet
                     with `_id` (or `id`), `text` and perhaps `title`
judgements           query 0 document label, or query document label
candidates           query Q0 document rank score tag, query document rank score, or query document and a rank (1, 2, 3,
                     ... in each query, or from 0) or a score
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from data.errors import DataError
from data.settings import DataSettings
from data.sources.cells import as_text, parse_number
from data.sources.formats import read_rows
from data.sources.local_files import existing_file
from data.sources.options import ReadOptions, format_of

IDS = ("_id", "id", "qid", "query-id", "query_id", "docid", "doc_id", "pid", "corpus-id")  # headers of a column of ids
RANK_SHAPES = {3: (0, 1, 2), 4: (0, 1, 3), 6: (0, 2, 4)}  # columns of a run: those of query, document and score
PLACES_WIDTH = 3  # columns of a run whose last one may be a rank; longer lines have a score beside the rank
LABEL_SHAPES = {3: (0, 1, 2), 4: (0, 2, 3)}  # columns of judgements: those of query, document and label
SHAPES_OF = {
    "candidates": "query Q0 document rank score tag (or query document rank score, or query document rank)",
    "qrels": "query 0 document label (or query document label)",
}


@dataclass(frozen=True)
class Line:
    """A line of a file about one query and one document: a judgement or a candidate."""

    number: int
    query: str
    document: str
    value: float  # a label, or a score: the higher the better


def read_texts(named: str | None, key: str, settings: DataSettings) -> dict[str, str]:
    """Return texts by id, each after its title; DataError for an invalid line, or an id with two texts.

    key: the setting that `named` is the value of, such as data.corpus.
    """
    path = existing_file(str(named), key, any_format=True)
    found: dict[str, str] = {}
    lines: dict[str, int] = {}
    for number, name, text in _texts(path, key, settings):
        if name in found and found[name] != text:
            raise DataError(
                f"{path}: {name!r} has two texts (lines {lines[name]} and {number}). Try: {key}=<a file with one each>"
            )
        found[name] = text
        lines.setdefault(name, number)
    if not found:
        raise DataError(f"{path} has no text. Try: {key}=<a file with an id and a text a line>")
    return found


def titled(title: str, text: str) -> str:
    """Return a title followed by its text; a title that the text begins with is not repeated."""
    title, text = title.strip(), text.strip()
    return text if text.startswith(title) else f"{title} {text}".strip()


def _texts(path: Path, key: str, settings: DataSettings) -> Iterator[tuple[int, str, str]]:
    """Yield the number, the id and the text of each row."""
    file_format = format_of(path)
    if file_format in ("csv", "jsonl", "parquet"):
        yield from _named_texts(path, file_format, key, settings)
        return
    options = ReadOptions({"text": "line"}, settings.encoding, prefix="data.")
    for number, row in read_rows(path, "lines", options):
        cells = str(row["line"]).split("\t")
        if number == 1 and cells[0].strip().lower() in IDS:
            continue
        if len(cells) == 1 and not cells[0].strip():
            continue
        if len(cells) < 2:
            raise DataError(
                f"{path} line {number}: an id, a tab and a text are needed, found {cells[0][:60]!r}. "
                f"Try: {key}=<a file with them>, or JSON lines with _id and text"
            )
        yield number, cells[0].strip(), titled(" ".join(cells[1:-1]), cells[-1])


def _named_texts(path: Path, file_format: str, key: str, settings: DataSettings) -> Iterator[tuple[int, str, str]]:
    """Yield the number, the id and the text of each row of a file whose columns have names."""
    options = ReadOptions({"text": "text"}, settings.encoding, settings.delimiter, settings.quoting, prefix="data.")
    for number, row in read_rows(path, file_format, options):
        name = next((row[column] for column in IDS if row.get(column) is not None), None)
        if name is None:
            raise DataError(
                f"{path} row {number}: a column _id is needed, found {', '.join(row)}. Try: {key}=<a file with one>"
            )
        cells = [as_text(row.get(column) or "", f"{path} row {number}", key) for column in ("title", "text")]
        yield number, str(name).strip(), titled(*cells)


def read_judgements(settings: DataSettings) -> list[Line]:
    """Return the judgements of a file; DataError for an invalid line, or a pair with two labels."""
    path = existing_file(str(settings.qrels), "data.qrels", any_format=True)
    found = [line for line, _ in _lines(path, "qrels", LABEL_SHAPES, settings)]
    return refuse_twice(found, str(path), "labels")


def read_candidates(settings: DataSettings) -> list[Line]:
    """Return the candidates of a file; DataError for an invalid line, or a document listed twice for a query."""
    path = existing_file(str(settings.candidates), "data.candidates", any_format=True)
    lines = list(_lines(path, "candidates", RANK_SHAPES, settings))
    found, widths = [line for line, _ in lines], {width for _, width in lines}
    refuse_twice(found, str(path), "places")
    return _ranks_as_scores(found, path) if widths == {PLACES_WIDTH} else found


def _ranks_as_scores(lines: list[Line], path: Path) -> list[Line]:
    """Return the lines with ranks, 1, 2, 3, ... or 0, 1, 2, ... in each query, as scores; lines with scores unchanged.

    Raises DataError for whole numbers that rise from line to line as ranks do, but leave some out.
    """
    by_query: dict[str, list[float]] = {}
    for line in lines:
        by_query.setdefault(line.query, []).append(line.value)
    found = list(by_query.values())
    if any(all(sorted(values) == [*range(first, first + len(values))] for values in found) for first in (1, 0)):
        return [Line(line.number, line.query, line.document, -line.value) for line in lines]
    several = [values for values in found if len(values) > 1]
    if several and all(low < high and high.is_integer() for values in several for low, high in pairwise(values)):
        raise DataError(
            f"{path}: the numbers of each query rise from line to line, as ranks do, but are not 1, 2, 3, ... "
            f"Number them so, or write scores beside them: {SHAPES_OF['candidates']}"
        )
    return lines


def refuse_twice(lines: list[Line], where: str, what: str) -> list[Line]:
    """Return the lines; DataError if two are about the same query and document. what: labels or places."""
    first: dict[tuple[str, str], int] = {}
    for line in lines:
        pair = line.query, line.document
        if pair in first:
            raise DataError(
                f"{where}: document {line.document!r} has two {what} for query {line.query!r} (lines {first[pair]} and "
                f"{line.number}). Remove one of them"
            )
        first[pair] = line.number
    return lines


def _lines(
    path: Path, key: str, shapes: Mapping[int, tuple[int, ...]], settings: DataSettings
) -> Iterator[tuple[Line, int]]:
    """Yield the lines of a file, each with its number of columns.

    shapes: by the number of columns, which of them are query, document and value.
    """
    if format_of(path) in ("jsonl", "parquet"):
        raise DataError(f"data.{key}={path}: lines of text are needed, such as {SHAPES_OF[key]}. Convert the file")
    options = ReadOptions({"text": "line"}, settings.encoding, prefix="data.")
    for number, row in read_rows(path, "lines", options):
        cells = str(row["line"]).split()
        if not cells:
            continue
        places = shapes.get(len(cells))
        value = parse_number(cells[places[2]]) if places else None
        if number == 1 and value is None and cells[0].lower() in IDS:
            continue  # a header
        if places is None or value is None or math.isinf(value):
            raise DataError(
                f"{path} line {number}: {SHAPES_OF[key]} is needed, found {' '.join(cells)[:80]!r}. "
                f"Fix that line, or try: data.{key}=<another file>"
            )
        if math.isnan(value):
            raise DataError(f"{path} line {number}: {cells[places[2]]!r} is not a number. Fix that line")
        yield Line(number, cells[places[0]], cells[places[1]], value), len(cells)
