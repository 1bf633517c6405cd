"""Minimal pairs: two slightly different sentences, of which one is acceptable; from the hub or a file.

A paradigm is a set of pairs that test one phenomenon: a configuration of a hub dataset, or the rows of a file with the
same value in one column. They are never trained on, so they have no splits and no labels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from data.errors import DataError
from data.settings import DataSettings
from data.sources.cells import as_text
from data.sources.columns import require_columns
from data.sources.formats import read_rows
from data.sources.hub import load_hub_split
from data.sources.hub_status import offline_if_unreachable
from data.sources.local_files import existing_file
from data.sources.options import ReadOptions, format_of
from data.sources.pair_source import SHOWN, PairSource, checked_names, chosen_paradigms


@dataclass(frozen=True)
class Paradigm:
    """The pairs of one paradigm."""

    name: str
    good: list[str]
    bad: list[str]
    rows: list[int]  # row numbers in the file as messages give them, or in the hub split from 1
    total: int  # number of pairs in the source
    groups: dict[str, str] = field(default_factory=dict)  # by column

    def __len__(self) -> int:
        return len(self.good)


def read_pairs(
    source: PairSource, wanted: Sequence[str] = (), most: int | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> list[Paradigm]:  # fmt: skip
    """Return the paradigms with their first `most` pairs each; None: all pairs.

    wanted: names of paradigms; empty: all. Raises DataError for missing names, files or columns, and for empty
    sentences.
    """
    found = list(_hub(source, wanted, most, tell) if source.id else _file(source, wanted, most))
    for paradigm in found:
        _refuse_empty(paradigm, source)
    return found


def _hub(
    source: PairSource, wanted: Sequence[str], most: int | None, tell: Callable[[str], None]
) -> Iterator[Paradigm]:
    for note in offline_if_unreachable():
        tell(note)
    names = chosen_paradigms(source, wanted)
    for name in names or (None,):
        settings = DataSettings(name=source.name, id=source.id, config=name, train_split=source.split)
        dataset = load_hub_split(settings, source.split, "or data=files path=<your copy>")
        where = f"{source.id} {name or source.split}"
        columns = {"good": source.good, "bad": source.bad}
        require_columns(dataset.column_names, columns, where, lambda: [])
        table = dataset.data.table.slice(0, len(dataset) if most is None else most)
        texts = {
            key: [_cell(value, f"{where} row {row}", key) for row, value in enumerate(table[column].to_pylist(), 1)]
            for key, column in columns.items()
        }
        groups = {
            column: source.same.get(value, value)
            for column in source.groups
            if column in dataset.column_names and (value := str(dataset[0][column]))
        }
        rows = list(range(1, len(table) + 1))
        yield Paradigm(name or source.name, texts["good"], texts["bad"], rows, len(dataset), groups)


def _file(source: PairSource, wanted: Sequence[str], most: int | None) -> Iterator[Paradigm]:
    path = existing_file(source.path or "", "path")
    columns = {"good": source.good, "bad": source.bad} | ({"group": source.group} if source.group else {})
    options = ReadOptions(columns, source.encoding, source.delimiter, source.quoting, only_wanted=True)
    found: dict[str, list[tuple[int, str, str]]] = {}
    for number, row in read_rows(path, format_of(path) or "", options):
        where = f"{path} row {number}"
        name = path.stem if source.group is None else _cell(row.get(source.group), where, "group").strip()
        if not name:
            raise DataError(f"{where}: the column {source.group!r} is empty. Fix that row, or leave group= out")
        pair = (_cell(row.get(column), where, key) for key, column in columns.items() if key != "group")
        found.setdefault(name, []).append((number, *pair))  # type: ignore[arg-type]
    if not found:
        raise DataError(f"{path} has a header but no pair. Try: path=<a file with rows>")
    names = checked_names(path.name, list(found), wanted) if wanted else tuple(found)
    for name in names:
        rows, good, bad = zip(*islice(found[name], most))
        yield Paradigm(name, list(good), list(bad), list(rows), len(found[name]))


def _cell(value: object, where: str, key: str) -> str:
    return "" if value is None else as_text(value, where, key)


def _refuse_empty(paradigm: Paradigm, source: PairSource) -> None:
    """Raise DataError for pairs in which a sentence is empty or missing."""
    pairs = zip(paradigm.rows, paradigm.good, paradigm.bad)
    empty = [row for row, good, bad in pairs if not good.strip() or not bad.strip()]
    if empty:
        where = Path(source.path).name if source.path else paradigm.name
        shown = ", ".join(map(str, empty[:SHOWN])) + (", ..." if len(empty) > SHOWN else "")
        raise DataError(
            f"{where}: {len(empty)} of {len(paradigm):,} pairs have an empty sentence (row {shown}). A pair needs two "
            "sentences. Fix or remove these rows"
        )
