"""The correct answers to a question in the cells of a table: a struct, a list, JSON as text, or the answer itself.

An answer is its text and the character at which it starts in the context; None if the source does not give the start.
"""

from __future__ import annotations

import ast
import json
import math

from data.errors import DataError

Answer = tuple[str, int | None]
TEXT, START = "text", "answer_start"
TRUE = ("true", "1", "1.0", "yes")


def answers_of(cell: object, start: object, where: str) -> list[Answer]:
    """Return the answers of a row, [] if it has none; blank answers are ignored.

    cell: {"text": [...], "answer_start": [...]}, a list of {"text", "answer_start"} or of texts, any of these as JSON,
    or one text; start: the cell of the start column, if the table has one. Raises DataError for anything else.
    """
    cell = _parsed(cell, str, dict)
    if _is_absent(cell):
        return []
    if isinstance(cell, dict):
        return _of_struct(cell, start, where)
    if isinstance(cell, list):
        if all(isinstance(one, dict) for one in cell):
            return [answer for one in cell for answer in _of_struct(one, None, where)]
        return _zipped(cell, start, where)
    return _zipped([cell], start, where)


def is_impossible(cell: object) -> bool:
    """Return whether a cell of the column is_impossible says that the question has no answer."""
    return cell is not None and str(cell).strip().lower() in TRUE


def _of_struct(cell: dict[str, object], start: object, where: str) -> list[Answer]:
    """Return the answers of an object with texts and starts."""
    if TEXT not in cell:
        raise DataError(f"{where} holds answers with {', '.join(cell) or 'nothing'}; `{TEXT}` and `{START}` are needed")
    texts, starts = cell[TEXT], cell.get(START, start)
    return _zipped(texts if isinstance(texts, list) else [texts], starts, where)


def _zipped(texts: list[object], starts: object, where: str) -> list[Answer]:
    """Return texts with their starts."""
    starts = _parsed(starts, int, float)
    if _is_absent(starts):
        starts = [None] * len(texts)
    places = starts if isinstance(starts, list) else [starts]
    if len(places) != len(texts):
        raise DataError(f"{where} has {len(texts)} answers and {len(places)} values of {START}. Fix that row")
    found = []
    for text, place in zip(texts, places):
        if _is_absent(text):
            continue
        if not isinstance(text, str | int | float) or isinstance(text, bool):
            raise DataError(f"{where} has the answer {text!r:.80}, which is not text. Fix that row")
        found.append((str(text), _place(place, where)))
    return found


def _place(value: object, where: str) -> int | None:
    """Return a start as a whole number."""
    if _is_absent(value):
        return None
    try:
        number = float(str(value))
    except ValueError:
        number = math.nan
    if not number.is_integer():
        raise DataError(f"{where} has the {START} {value!r:.80}; the number of a character is needed. Fix that row")
    return int(number)


def _parsed(cell: object, *kinds: type) -> object:
    """Parse a JSON or Python text to an answer object or a list of these types; return other cells unchanged."""
    if not isinstance(cell, str) or not cell.strip().startswith(("{", "[")):
        return cell
    for parse in (json.loads, ast.literal_eval):
        try:
            found = parse(cell)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(found, dict):
            return found if TEXT in found else cell
        return found if isinstance(found, list) and all(isinstance(one, kinds) for one in found) else cell
    return cell


def _is_absent(value: object) -> bool:
    """Return whether a cell is None, blank, nan, or an empty list or object."""
    if isinstance(value, float) and math.isnan(value):
        return True
    return value is None or (isinstance(value, str) and not value.strip()) or value == [] or value == {}
