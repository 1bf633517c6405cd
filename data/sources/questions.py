"""Extractive questions about contexts, from files or the hub: in SQuAD's format, or one question per row.

read_questions(settings, cache).splits["train"].facts(rows)["_golds"]     # the correct answers, [] for none
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from data.counted import counted
from data.errors import DataError
from data.labels import Labels
from data.settings import DataSettings, of_split
from data.sources.columns import refuse_rule_as_column
from data.sources.formats import read_rows
from data.sources.hub import hub_splits, load_hub_split
from data.sources.hub_status import offline_if_unreachable
from data.sources.local_files import split_files
from data.sources.options import ReadOptions, Row, format_of
from data.sources.question_rows import QuestionRows, find_columns
from data.sources.raw import CHUNK, GROUP, RawData, RawSplit
from data.stores.build_once import SharedCache
from data.targets.span import Span

if TYPE_CHECKING:
    import pyarrow as pa

TEXTS = ("text", "text_pair")  # question and context
GOLDS, IDS = "_golds", "_question_id"  # extra columns: the correct answers, the labelled one first, and an id


def is_questions(settings: DataSettings, target: str) -> bool:
    """Return whether the settings are for questions and contexts; target: the name of the target, or auto."""
    asked = settings.task if target == "auto" else target
    return asked in (Span.name, Span.task)


def read_questions(settings: DataSettings, cache: SharedCache) -> RawData:
    """Read the splits that the settings name; DataError, with a suggestion, for questions that cannot be used."""
    if settings.source == "demo":
        raise DataError(
            f"data={settings.name} has no questions about a context. Try: data=squad, or data=files data.path=<a file "
            "in SQuAD's format, or with columns question, context, answers>"
        )
    notes: list[str] = []
    splits, dropped = dict[str, RawSplit](), dict[str, int]()
    unanswerable = dict[str, str]()
    found = _of_hub(settings, cache, notes) if settings.source == "hub" else _of_files(settings, cache, notes)
    for name, questions, table in found:
        _refuse_without_answers(questions, settings, name)
        splits[name] = _split(questions, table)
        notes += questions.notes
        dropped |= {f"{name}: {why}": count for why, count in questions.dropped().items()}
        if questions.unanswerable:
            unanswerable[name] = f"{questions.unanswerable:,} of {len(questions.rows):,} in {name}"
        if questions.joined:
            notes.append(
                f"{questions.where}: {counted(questions.joined, 'row repeats', 'rows repeat')} a question with another "
                "answer; each of its answers counts as right"
            )
    if unanswerable:
        notes.append(
            f"questions without an answer: {', '.join(unanswerable.values())}; SQuAD 2.0's rules hold: an empty "
            "answer is right"
        )
    target = Span()
    return RawData(target, splits, dropped, [*notes, *target.notes])


def _split(questions: QuestionRows, table: pa.Table) -> RawSplit:
    """Return a split; table: question and context of every row of the source."""
    import pyarrow as pa

    rows = np.frombuffer(questions.rows, np.int64)
    facts = {GOLDS: pa.array(questions.golds, pa.list_(pa.string())), IDS: pa.array(questions.ids, pa.string())}
    if questions.columns.group is not None:
        facts[GROUP] = pa.array(questions.groups, pa.string())
    places = np.full(len(table), -1, np.int64)  # index of each table row among the used rows
    places[rows] = np.arange(len(rows))
    places = pa.array(places, mask=places < 0)
    for name, column in facts.items():
        table = table.append_column(name, column.take(places))
    return RawSplit(table, Labels(questions.values), rows, np.frombuffer(questions.numbers, np.int64))


def _refuse_without_answers(questions: QuestionRows, settings: DataSettings, name: str) -> None:
    """Raise DataError for a split without a question, or without any answer, such as a test file for submissions."""
    if not len(questions.rows):
        why = "; ".join(f"{count:,}: {reason}" for reason, count in questions.dropped().items())
        raise DataError(
            f"{questions.where} has no question that can be used{f' ({why})' if why else ''}. Try: another file, or "
            "another split"
        )
    if questions.unanswerable < len(questions.rows):
        return
    if settings.source == "hub":
        cure = "another split"
        if name != "train":
            cure = f"data.split={settings.train_split}, which all splits are cut from"
    elif name == "train":
        cure = "a file with answers"
    else:
        cure = f"leave data.{name}_path out ({name} is then cut off the training rows), or a file with answers"
    raise DataError(
        f"{questions.where}: none of its {len(questions.rows):,} questions has an answer, as in a test file whose "
        f"answers are kept back, and `{name}` needs some. Try: {cure}"
    )


def _of_files(
    settings: DataSettings, cache: SharedCache, notes: list[str]
) -> Iterator[tuple[str, QuestionRows, pa.Table]]:
    """Yield each split that has a file: its name, its questions, and a table of all questions and contexts."""
    wanted = {"text": settings.text, "text_pair": settings.text_pair or "context"}
    options = ReadOptions(
        wanted, settings.encoding, settings.delimiter, settings.quoting, prefix="data.", note=notes.append
    )
    for name, path in split_files(settings).items():
        cache.tell(f"reading {path.name}")
        rows = read_rows(path, format_of(path) or "", options)
        first = next(rows, None)
        if first is None:
            raise DataError(f"{path} has no row. Try: data.path=<a file with questions>")
        names, values = list(first[1]), list(first[1].values())
        refuse_rule_as_column(settings.group, names, str(path))
        own = of_split(settings, name)
        columns = find_columns(names, own, str(path), lambda: [values])  # noqa: B023 called at once
        questions = QuestionRows(own, str(path), columns)
        yield name, questions, _written(path, options, questions, chain([first], rows), cache)


def _written(
    path: Path, options: ReadOptions, questions: QuestionRows, rows: Iterable[Row], cache: SharedCache
) -> pa.Table:
    """Return question and context of every row from an Arrow file in the cache, since they may not fit in memory."""
    import pyarrow as pa

    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    parts = ["questions", digest, *options.columns.values(), options.encoding, options.delimiter, options.quoting]
    folder, key = cache.folder / "tables", hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:20]
    folder.mkdir(parents=True, exist_ok=True)
    target, schema = folder / f"{key}.arrow", pa.schema([(name, pa.string()) for name in TEXTS])
    with cache.locked(folder / f"{key}.lock"):
        part = target.with_suffix(".part")
        try:
            with pa.OSFile(str(part), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
                for chunk in _chunks(questions.texts(rows)):
                    writer.write_batch(pa.record_batch([list(column) for column in zip(*chunk)], schema=schema))
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
    return pa.ipc.open_file(pa.memory_map(str(target))).read_all()


def _chunks(texts: Iterator[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    """Yield questions and contexts, CHUNK rows at a time."""
    found: list[tuple[str, str]] = []
    for pair in texts:
        found.append(pair)
        if len(found) == CHUNK:
            yield found
            found = []
    if found:
        yield found


def _of_hub(
    settings: DataSettings, cache: SharedCache, notes: list[str]
) -> Iterator[tuple[str, QuestionRows, pa.Table]]:
    """Yield each split of a hub dataset: its name, its questions, and a table of all questions and contexts."""
    import pyarrow as pa

    notes += offline_if_unreachable()
    for name, split in hub_splits(settings).items():
        dataset, where = load_hub_split(settings, split), f"{settings.id} {split}"
        cache.tell(f"reading {where}")
        refuse_rule_as_column(settings.group, dataset.column_names, where)
        own = of_split(settings, name)
        columns = find_columns(dataset.column_names, own, where, list)
        questions = QuestionRows(own, where, columns)
        names = [column for column in columns.names if column in dataset.column_names]
        for _ in questions.texts(_rows_of(dataset.data.table.select(names))):
            pass  # the table is on disk already
        table = dataset.data.table.select([columns.question, columns.context]).rename_columns(list(TEXTS))
        yield name, questions, table.cast(pa.schema([(column, pa.large_string()) for column in TEXTS]))


def _rows_of(table: pa.Table) -> Iterator[Row]:
    """Yield each row with its number."""
    number = 0
    for batch in table.to_batches(CHUNK):
        for row in batch.to_pylist():
            number += 1
            yield number, row
