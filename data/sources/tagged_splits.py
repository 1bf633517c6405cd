"""The splits of a dataset of words and tags: from files, from the hub, or built in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from data.errors import DataError
from data.labels import Labels
from data.settings import DataSettings
from data.sources.cells import is_digits
from data.sources.columns import is_column_number, require_columns
from data.sources.demo_tags import generate_tagged
from data.sources.formats import read_rows
from data.sources.hub import class_names, hub_splits, load_hub_split
from data.sources.hub_status import offline_if_unreachable
from data.sources.local_files import existing_file
from data.sources.options import ReadOptions, format_of
from data.sources.raw import RawData, RawSplit
from data.sources.tagged import Row, TagColumn, TaggedRows
from data.stores.build_once import SharedCache
from data.targets.tag_labels import encode_tags, learn_scheme, refuse_odd_tags
from data.targets.tag_schemes import SECOND
from data.targets.tags import Tags
from data.targets.written_text import are_cases, are_marks, leaks

if TYPE_CHECKING:
    import datasets
    import pyarrow as pa

MOST_LEAKS = 0.01  # share of words that may give away the punctuation or case to restore, e.g. by errors in the source


@dataclass(frozen=True)
class _Source:
    """The rows of one split."""

    where: str  # for messages
    names: Sequence[tuple[str, ...]]  # of the tags of each column, if the dataset has them
    rows: Callable[[], Iterator[Row]]


def is_tagged(settings: DataSettings, target: str) -> bool:
    """Return whether the settings are for words and tags; target: the name of the target, or auto."""
    asked = settings.task if target == "auto" else target
    return asked in (Tags.name, Tags.task)


def read_tagged(settings: DataSettings, cache: SharedCache) -> RawData:
    """Read the splits that the settings name; DataError, with a suggestion, for rows and tags that do not fit."""
    read = {"hub": _of_hub, "files": _of_files, "demo": _of_demo}[settings.source]
    notes: list[str] = []
    sources = read(settings, cache, notes)
    splits: dict[str, TaggedRows] = {}
    tables: dict[str, pa.Table] = {}
    dropped = {}
    for name, source in sources.items():
        cache.tell(f"reading {source.where}")
        columns = [TagColumn(f"data.tags={tags}", names) for tags, names in zip(_labels(settings), source.names)]
        splits[name] = TaggedRows(columns, source.where, settings.join)
        tables[name] = splits[name].table(source.rows())
        if splits[name].empty:
            dropped[f"{name}: no words"] = splits[name].empty
    target, encode = _target(settings, splits["train"])
    data = RawData(target, {}, dropped=dropped, notes=[*notes, *target.notes])
    for name, found in splits.items():
        numbers = np.frombuffer(found.source_rows, dtype=np.int64)
        labels = Labels(encode(found), found.offsets)
        data.splits[name] = RawSplit(tables[name], labels, np.arange(len(numbers)), numbers)
        data.notes += _leak_note(settings, target, tables[name], found.where)
    return data


def _target(settings: DataSettings, train: TaggedRows) -> tuple[Tags, Callable[[TaggedRows], np.ndarray]]:
    """Return the target defined by the training rows, and a function that encodes the tags of any split as ids."""
    given = settings.label_names or []
    if isinstance(given, dict) or (given and len(train.columns) > 1):
        raise DataError(
            "data.label_names: tags need a list with the names of one column. Try: 'data.label_names=[O,B-PER,I-PER]'"
        )
    if not given:
        numbers = np.frombuffer(train.source_numbers, dtype=np.int64)
        for column in train.columns:
            refuse_odd_tags(column, train.source_offsets, train.where, numbers)
    schemes = [learn_scheme(column, train.source_offsets, given) for column in train.columns]
    first, *others = [scheme.names for scheme in schemes]
    names = (*first, *(f"{SECOND}{name}" if name in first else name for other in others for name in other))
    notes = [scheme.note for scheme in schemes if scheme.note]
    target = Tags(names, tuple(len(scheme.names) for scheme in schemes), notes)

    def encode(rows: TaggedRows) -> np.ndarray:
        """Return the tags of a split, (words,) or (words, 2) int64."""
        numbers = np.frombuffer(rows.source_numbers, dtype=np.int64)
        found = [
            encode_tags(column, rows.source_offsets, scheme, rows.where, numbers)
            for column, scheme in zip(rows.columns, schemes)
        ]
        return found[0] if len(found) == 1 else np.stack(found, axis=1)

    return target, encode


def _leak_note(settings: DataSettings, target: Tags, table: pa.Table, where: str) -> list[str]:
    """Return a note on words that give away the marks and capitals to restore; DataError above MOST_LEAKS."""
    if not any(are_marks(names) or are_cases(names) for names in target.tags):
        return []
    if settings.language is None:
        raise DataError(
            "data.tags: these tags are punctuation marks and capitals, whose rules depend on the language. "
            "Try: data.language=en (or tr, ...)"
        )
    count = total = 0
    first = ""
    for chunk in table["words"].iterchunks():
        for word in chunk.flatten().to_pylist():
            total += 1
            if seen := leaks([word], settings.language):
                count, first = count + 1, first or seen
    if count > MOST_LEAKS * total:
        raise DataError(
            f"{where}: {count:,} of {total:,} words show what is to be restored ({first}). Write the words in lower "
            "case and without the marks at their ends"
        )
    return [f"{where}: {count:,} of {total:,} words show what is to be restored ({first})"] if count else []


def _labels(settings: DataSettings) -> list[str]:
    """Return the columns of tags."""
    return ["ner_tags"] if settings.source == "demo" else list(settings.tags or [])


def _columns(settings: DataSettings) -> dict[str, str]:
    """Return the columns of words and tags, keyed by the setting that names them."""
    return {"tokens": str(settings.tokens), **dict(zip(("tags", "tags[1]"), _labels(settings)))}


def _of_demo(settings: DataSettings, cache: SharedCache, notes: list[str]) -> dict[str, _Source]:
    """Generate the splits; no row occurs in two of them."""
    wanted = {"train": settings.demo_rows, "val": settings.demo_rows // 6, "test": settings.demo_rows // 6}
    found, seen = dict[str, _Source](), set[str]()
    for offset, (name, count) in enumerate(wanted.items()):
        fresh = [
            (i, words, tags)
            for i, (words, tags) in enumerate(generate_tagged(count, 3 * settings.split_seed + offset), 1)
            if " ".join(words) not in seen
        ]
        seen |= {" ".join(words) for _, words, _ in fresh}
        rows: list[Row] = [(i, words, [tags]) for i, words, tags in fresh]
        found[name] = _Source(f"data={settings.name} {name}", [()], rows.__iter__)
    return found


def _of_files(settings: DataSettings, cache: SharedCache, notes: list[str]) -> dict[str, _Source]:
    """Return the splits that have files: JSON or Parquet with lists, or CoNLL with numbered columns."""
    paths = {"train": settings.train_path or settings.path, "val": settings.val_path, "test": settings.test_path}
    options = ReadOptions(
        _columns(settings), settings.encoding, settings.delimiter, settings.quoting, prefix="data.", only_wanted=True,
        note=notes.append,
    )  # fmt: skip
    found = {}
    for name, text in paths.items():
        if text is None:
            continue
        key = "data.path" if name == "train" and settings.path else f"data.{name}_path"
        path = existing_file(text, key, any_format=True)
        file_format = _format(path, settings.tokens, f"{key}={text}")
        named = [_names_by_id(settings.label_names)] * len(_labels(settings))
        found[name] = _Source(str(path), named, _rows_of_file(path, file_format, options))
    return found


def _names_by_id(given: object) -> tuple[str, ...]:
    """Return the user's list of names for tags that a file holds as ids; () if the names are numbers themselves."""
    return tuple(given) if isinstance(given, list) and not any(map(is_digits, given)) else ()


def _format(path: Path, tokens: str | None, where: str) -> str:
    """Return conll, jsonl or parquet; DataError if the columns cannot be addressed this way or cannot hold lists."""
    found, numbers, names = format_of(path), "data.tokens=0 data.tags=-1", "data.tokens=tokens data.tags=ner_tags"
    if is_column_number(tokens):
        if found in ("jsonl", "parquet"):
            raise DataError(
                f"{where}: data.tokens={tokens} is the number of a column of a CoNLL file, but columns of JSON and "
                f"Parquet have names. Try: {names}"
            )
        return "conll"
    if found in ("csv", "tsv"):
        raise DataError(
            f"{where}: cells of {found.upper()} hold no lists of words. Try: JSON lines or Parquet, or a CoNLL file by "
            f"the numbers of its columns: {numbers}"
        )
    if found is None:
        raise DataError(
            f"{where}: columns have names, such as data.tokens={tokens}, in files that end in .jsonl or .parquet; "
            f"those of a CoNLL file have numbers. Try: {numbers}"
        )
    return found


def _rows_of_file(path: Path, file_format: str, options: ReadOptions) -> Callable[[], Iterator[Row]]:
    """Return a function that reads the rows of a file."""
    tokens, *labels = [str(column) for column in options.columns.values()]

    def rows() -> Iterator[Row]:
        for number, row in read_rows(path, file_format, options):
            yield number, row.get(tokens), [row.get(column) for column in labels]

    return rows


def _of_hub(settings: DataSettings, cache: SharedCache, notes: list[str]) -> dict[str, _Source]:
    """Return the splits of a hub dataset, with the names of its tags if the dataset declares them."""
    notes += offline_if_unreachable()
    found = {}
    for name, split in hub_splits(settings).items():
        dataset, where = load_hub_split(settings, split), f"{settings.id} {split}"
        columns = list(_columns(settings).values())
        wanted = {f"data.{key}": column for key, column in _columns(settings).items()}
        require_columns(dataset.column_names, wanted, where, list)
        names = [_class_names(dataset.features[column]) for column in columns[1:]]
        found[name] = _Source(where, names, _rows_of_dataset(dataset, columns))
    return found


def _rows_of_dataset(dataset: datasets.Dataset, columns: list[str]) -> Callable[[], Iterator[Row]]:
    """Return a function that reads the rows of a hub split."""

    def rows() -> Iterator[Row]:
        number = 0
        for batch in dataset.data.table.select(columns).to_batches():
            for words, *tags in zip(*(column.to_pylist() for column in batch.columns)):
                number += 1
                yield number, words, tags

    return rows


def _class_names(feature: object) -> tuple[str, ...]:
    """Return the names of a list of class labels, in id order; () for other features."""
    import datasets

    return class_names(feature.feature) if isinstance(feature, datasets.List | datasets.LargeList) else ()
