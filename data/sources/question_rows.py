"""Questions, contexts and correct answers from any source, checked row by row.

Every answer must be at its answer_start, counted in characters of the context. Errors are counted over the whole
source, so that one message reports all of them.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from data.counted import counted
from data.errors import DataError, MissingColumn
from data.json_types import JsonObject
from data.quoting import listed
from data.settings import DataSettings
from data.sources.answer_cells import START, Answer, answers_of, is_impossible
from data.sources.cells import as_text
from data.sources.columns import Sample, group_column, require_columns
from data.sources.options import Row
from data.targets.label_column import SHOWN

IDS = ("id", "qid", "question_id")
ANSWERS = ("answers", "answer")  # names of the answers' column if data.label does not set one
IMPOSSIBLE = "is_impossible"
FIRST = 3  # wrong rows that a message shows
LONGEST = 60  # characters of a text in a message
FEW_ROWS, MOST_SHARED = 100, 0.1  # with at least this many questions, a column with a smaller share of values is no id


@dataclass(frozen=True)
class QuestionColumns:
    """The columns of a source, by their purpose; None for those that it lacks."""

    question: str
    context: str
    answers: str
    start: str | None
    id: str | None
    group: str | None

    @property
    def names(self) -> list[str]:
        """All column names, each once, including the column that marks questions without an answer."""
        found = (self.question, self.context, self.answers, self.start, self.id, self.group, IMPOSSIBLE)
        return list(dict.fromkeys(name for name in found if name is not None))


def find_columns(names: Sequence[str], settings: DataSettings, where: str, sample: Sample) -> QuestionColumns:
    """Return which of these columns to read; DataError for a missing one, as from `require_columns`."""
    label = settings.label or ANSWERS[0]
    known = [label, *(ANSWERS if label in ("label", *ANSWERS) else ())]
    answers = next((name for name in known if name in names), label)
    question, context = settings.text, settings.text_pair or "context"
    wanted = {"data.text": question, "data.text_pair": context, "data.label": answers}
    if group := group_column(settings.group):
        wanted["data.group"] = group
    if answers not in names and {question, context} <= set(names) and len(known) > 1:
        raise MissingColumn(
            "label",
            f"{where} has no column of answers (columns: {listed(names)}). Try: data.label=<that column>; to answer "
            f"its questions: run predict <run id> {where}",
        )
    require_columns(names, wanted, where, sample)
    starts = (f"{answers}_start", START, "start")
    start = next((name for name in starts if name in names and name not in wanted.values()), None)
    number = next((name for name in IDS if name in names), None)
    return QuestionColumns(question, context, answers, start, number, group)


@dataclass
class _Wrong:
    """Rows with one kind of error: how many, and descriptions of the first ones."""

    count: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, what: str, most: int = FIRST) -> None:
        """Count a row; keep the description `what` of the first ones."""
        self.count += 1
        self.first += [what] if len(self.first) < most else []

    def shown(self, between: str = "; ") -> str:
        """The first rows, for a message."""
        return between.join(self.first) + (", ..." if self.count > len(self.first) else "")


class QuestionRows:
    """The usable questions of a split, and what is wrong with the others."""

    def __init__(self, settings: DataSettings, where: str, columns: QuestionColumns) -> None:
        self.settings, self.where, self.columns = settings, where, columns
        self.total = 0  # rows of the source
        self.rows, self.numbers, self.spans = array("q"), array("q"), array("q")
        self.ids, self.groups = list[str](), list[str]()
        self.golds: list[list[str]] = []  # the first answer of each is the one at the span
        self.notes = list[str]()
        self.missing, self.wrong, self.unplaced, self.clashes, self.mixed = (_Wrong() for _ in range(5))
        # Wrong answers that are at their start if it counts UTF-8 bytes or UTF-16 units, or that occur elsewhere.
        self.counted_wrong = {"bytes": 0, "units": 0, "elsewhere": 0}
        self.absent = self.ambiguous = self.repeated = self.joined = 0
        self._seen: dict[tuple[str, bytes], int] = {}  # by id and content: index among the used questions
        self._named: dict[str, int] = {}  # by id: index of its first question

    def texts(self, rows: Iterable[Row]) -> Iterator[tuple[str, str]]:
        """Yield question and context of every row, used or not, and store the rest of the rows' content."""
        for number, row in rows:
            place, self.total = self.total, self.total + 1
            yield self._read(place, number, row) or ("", "")
        self._refuse()

    @property
    def values(self) -> np.ndarray:
        """Start and end character of each answer, end exclusive, (questions, 2) int64; -1 -1 for no answer."""
        return np.frombuffer(self.spans, np.int64).reshape(-1, 2) if self.spans else np.zeros((0, 2), np.int64)

    @property
    def unanswerable(self) -> int:
        """The number of questions without an answer."""
        return sum(not golds for golds in self.golds)

    def dropped(self) -> dict[str, int]:
        """Return how many rows were left out, by reason."""
        found = {
            "missing question or context": self.missing.count, f"answer not at its {START}": self.wrong.count,
            "answer not in its context": self.absent, "answer more than once in its context": self.ambiguous,
            "repeats a question": self.repeated, "repeats a question with another answer": self.joined,
        }  # fmt: skip
        return {why: count for why, count in found.items() if count}

    def _read(self, place: int, number: int, row: JsonObject) -> tuple[str, str] | None:
        """Store a row's answers; return its question and context, or None if either, or the group, is missing."""
        columns, where = self.columns, f"{self.where} row {number}"
        cells = [row.get(name) for name in (columns.question, columns.context, columns.group) if name is not None]
        if any(cell is None or not str(cell).strip() for cell in cells):
            self.missing.add(str(number), SHOWN)
            return None
        question, context = as_text(cells[0], where, "data.text"), as_text(cells[1], where, "data.text_pair")
        given = None if columns.id is None else row.get(columns.id)
        name = "" if given is None else str(given).strip()
        answers = list[Answer]()
        if not is_impossible(row.get(IMPOSSIBLE)):
            start = None if columns.start is None else row.get(columns.start)
            answers = answers_of(row.get(columns.answers), start, where)
        located = self._located(answers, context, name or f"row {number}")
        if located is not None:
            self._keep(place, number, name, (question, context), located)
            if columns.group is not None and len(self.groups) < len(self.rows):
                self.groups.append(_digest(str(cells[2])).hex())
        return question, context

    def _located(self, answers: Sequence[Answer], context: str, name: str) -> list[tuple[str, int]] | None:
        """Return the answers with their start characters, located ones first; None for a row that is not used."""
        found, unknown = list[tuple[str, int]](), list[str]()
        wrong = ""
        for text, start in answers:
            if start is None:
                unknown.append(text)
            elif start < 0 or context[start : start + len(text)] != text:
                wrong = wrong or self._describe_wrong(text, start, context, name)
            else:
                found.append((text, start))
        if wrong:
            self.wrong.add(wrong)
            return None
        if not unknown:
            return found
        if self.settings.find != "unique":
            self.unplaced.add(name, SHOWN)
            return None
        places = {text: _only_place(context, text) for text in unknown}
        found += [(text, place) for text, place in places.items() if place >= 0]
        if not found:
            self.absent += all(place == ABSENT for place in places.values())
            self.ambiguous += any(place != ABSENT for place in places.values())
            return None
        return found + [(text, place) for text, place in places.items() if place < 0]

    def _describe_wrong(self, text: str, start: int, context: str, name: str) -> str:
        """Describe a wrong answer, and count whether its start fits in bytes or units, or it occurs elsewhere."""
        raw, at = text.encode("utf-8", "surrogatepass"), max(start, 0)
        self.counted_wrong["bytes"] += context.encode("utf-8", "surrogatepass")[at : at + len(raw)] == raw
        units = text.encode("utf-16-le", "surrogatepass")
        self.counted_wrong["units"] += context.encode("utf-16-le", "surrogatepass")[2 * at :].startswith(units)
        self.counted_wrong["elsewhere"] += text in context
        found = context[at : at + len(text)] if start >= 0 else ""
        return f"{name}: expected {_short(text)} at {start}, found {_short(found)}"

    def _keep(
        self, place: int, number: int, name: str, texts: tuple[str, str], located: Sequence[tuple[str, int]]
    ) -> None:
        """Store a row, or add its answers to those of an earlier row with the same question."""
        key = (name, _digest("\0".join(texts)))
        at = self._seen.setdefault(key, len(self.rows))
        if at < len(self.rows):
            self._join(at, number, name, [text for text, _ in located])
            return
        first = self._named.setdefault(name, at) if name else at
        if first != at:
            self.clashes.add(f"{name!r} in rows {self.numbers[first]} and {number}")
        self.spans.extend(_span(*located[0]) if located else (-1, -1))
        self.rows.append(place)
        self.numbers.append(number)
        self.ids.append(name or str(number))
        self.golds.append([text for text, _ in located])

    def _join(self, at: int, number: int, name: str, golds: Sequence[str]) -> None:
        """Add the answers of a row to those of an earlier one with the same question, context and id."""
        if bool(golds) != bool(self.golds[at]):
            self.mixed.add(f"rows {self.numbers[at]} and {number}{f', id {name!r}' if name else ''}")
        new = [text for text in dict.fromkeys(golds) if text not in self.golds[at]]
        self.golds[at] += new
        self.joined += bool(new)
        self.repeated += not new

    def _refuse(self) -> None:
        """Raise DataError for rows that are wrong, unless the settings drop them."""
        where, settings, total = self.where, self.settings, self.total
        if self.missing.count and settings.missing == "refuse":
            group = f", context or {self.columns.group}" if self.columns.group else " or context"
            raise DataError(
                f"{where}: {counted(self.missing.count, 'row has', 'rows have')} an empty or missing question{group} "
                f"(rows {self.missing.shown(', ')}). Try: data.missing=drop"
            )
        if self.wrong.count and (settings.bad_spans == "refuse" or not self.rows):
            cure = "Try: data.bad_spans=drop, which uses the others" if self.rows else f"Correct each {START}"
            raise DataError(
                f"{where}: {self.wrong.count:,} of {total:,} questions have an answer that is not at its {START}. "
                f"{self.wrong.shown()}{self._guess()}. {cure}"
            )
        if self.unplaced.count:
            raise DataError(
                f"{where}: {self.unplaced.count:,} of {total:,} questions have an answer without {START}, the "
                f"character of the context where it starts ({self.unplaced.shown(', ')}). Try: data.find=unique, "
                "which uses answers that occur once in their context"
            )
        if self.mixed.count:
            raise DataError(
                f"{where}: questions that occur twice, with an answer and without one: {self.mixed.count:,} "
                f"({self.mixed.shown()}). Leave one of the rows out"
            )
        if self.clashes.count:
            self._refuse_ids()

    def _refuse_ids(self) -> None:
        """Raise DataError if questions share an id; if nearly all do, it is no id and row numbers replace it."""
        found, rows = len(self._named), len(self.rows)
        if rows < FEW_ROWS or found > MOST_SHARED * rows:
            raise DataError(
                f"{self.where}: questions that share an id: {self.clashes.count:,} ({self.clashes.shown()}). "
                "Give each question a unique id"
            )
        self.ids = [str(number) for number in self.numbers]
        self.notes.append(
            f"{self.where}: the column {self.columns.id!r} has {found:,} values for {rows:,} questions, so questions "
            "are named by their rows"
        )

    def _guess(self) -> str:
        """Say that the starts of wrong rows seem to count bytes or units, or whether the answers occur elsewhere."""
        count = self.wrong.count
        for unit, named in (("bytes", "bytes of UTF-8"), ("units", "units of UTF-16, as JavaScript and Java count")):
            if 2 * self.counted_wrong[unit] > count:
                return f"; {self.counted_wrong[unit]:,} are right in {named}, but characters are needed"
        elsewhere = self.counted_wrong["elsewhere"]
        return f"; {elsewhere:,} occur elsewhere in their context" if elsewhere else "; none occurs in its context"


ABSENT, SEVERAL = -1, -2


def _span(text: str, start: int) -> tuple[int, int]:
    """Return the start and end character of an answer without the white space around it.

    A token may begin with the space before its word, so with a space at its end an answer would include the next word.
    """
    begin = start + len(text) - len(text.lstrip())
    return begin, begin + len(text.strip())


def _only_place(context: str, text: str) -> int:
    """Return where a text occurs in a context; ABSENT if it does not, SEVERAL if it does more than once."""
    first = context.find(text)
    return SEVERAL if first >= 0 and context.find(text, first + 1) >= 0 else first


def _digest(text: str) -> bytes:
    """Return a 128-bit hash of a text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16]


def _short(text: str) -> str:
    """Return a text in quotes, shortened for a message."""
    return repr(text if len(text) <= LONGEST else text[: LONGEST - 3] + "...")
