"""Questions in SQuAD's own format: one JSON object with articles, their paragraphs, and each paragraph's questions.

Both versions are read: `{"version": "v2.0", "data": [{"title": ..., "paragraphs": [{"context": ..., "qas": [{"id": ...,
"question": ..., "answers": [{"text": ..., "answer_start": ...}]}]}]}]}`. The list `data` may also hold rows, each with
a context and a question.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from data.errors import DataError
from data.json_types import JsonObject
from data.sources.options import Row

ARTICLES, PARAGRAPHS, QUESTIONS, CONTEXT = "data", "paragraphs", "qas", "context"
BEGINNING = re.compile(rf'"(?:{ARTICLES}|{PARAGRAPHS})"\s*:\s*\[')
FORM = '{"data": [{"paragraphs": [{"context": "...", "qas": [{"question": "...", "answers": [...]}]}]}]}'


def may_be_squad(line: str) -> bool:
    """Could a stream that begins with this line (or part of one) be one object with articles, not one per line?"""
    if not line.lstrip().startswith("{"):
        return False
    try:
        return _has_articles(json.loads(line))
    except (ValueError, RecursionError):
        return line.endswith("\n") or bool(BEGINNING.search(line))


def parse_squad(text: str, where: str) -> JsonObject | None:
    """Parse a whole stream as one object with articles; None if it is not such an object.

    where: the file's path, for messages. Raises DataError for a truncated one.
    """
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data" or not BEGINNING.search(text[:4096]):
            return None
        raise DataError(f"{where} is not JSON: {error}. A download that was cut off looks like this") from error
    except (ValueError, RecursionError):  # a number of too many digits, or too many brackets
        return None
    return found if _has_articles(found) else None


def _has_articles(found: object) -> bool:
    """Return whether this is an article, or an object with a list of articles or rows."""
    if not isinstance(found, dict):
        return False
    if isinstance(found.get(PARAGRAPHS), list):
        return True
    articles = found.get(ARTICLES)
    return isinstance(articles, list) and bool(articles) and isinstance(articles[0], dict)


def squad_rows(content: JsonObject, where: str) -> Iterator[Row]:
    """Yield each question with its number, as a row with `context`, `title` and the fields of the question.

    Raises DataError for another structure.
    """
    articles: list[object] = [content] if PARAGRAPHS in content else content[ARTICLES]
    number = 0
    for place, article in enumerate(articles, 1):
        for row in _of_article(article, f"{where} article {place}"):
            number += 1
            yield number, row


def _of_article(article: object, where: str) -> Iterator[JsonObject]:
    """Yield the questions of an article; if it is a row, yield the row itself."""
    if not isinstance(article, dict):
        raise DataError(f"{where} is a {type(article).__name__}, not an object. Expected form: {FORM}")
    if PARAGRAPHS not in article:
        yield article
        return
    shared = {key: value for key, value in article.items() if key != PARAGRAPHS}
    for place, paragraph in enumerate(_list(article, PARAGRAPHS, where), 1):
        here = f"{where} paragraph {place}"
        if not isinstance(paragraph, dict) or CONTEXT not in paragraph:
            raise DataError(f"{here} has no `{CONTEXT}`. Expected form: {FORM}")
        for question in _list(paragraph, QUESTIONS, here):
            if not isinstance(question, dict):
                raise DataError(f"{here} has a question that is not an object. Expected form: {FORM}")
            yield {**shared, CONTEXT: paragraph[CONTEXT], **question}


def _list(found: JsonObject, key: str, where: str) -> list[object]:
    """Return the list under a key of an object; DataError if it is missing or not a list."""
    value = found.get(key)
    if not isinstance(value, list):
        what = "missing" if value is None else "no list"
        raise DataError(f"{where}: its `{key}` is {what}. Expected form: {FORM}")
    return value
