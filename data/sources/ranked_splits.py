"""The splits of queries and documents: a test collection of four parts, or rows grouped by query in a column."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from data.counted import counted
from data.errors import DataError
from data.labels import Labels
from data.quoting import listed
from data.settings import DataSettings
from data.sources.cells import as_text, parse_number
from data.sources.collection import QUERY, Collection, ranked_rows, raw_split, tell
from data.sources.demo_ranked import CANDIDATES, demo_collection
from data.sources.files import read_files
from data.sources.hub import hub_splits, load_hub_split, read_hub
from data.sources.hub_status import offline_if_unreachable
from data.sources.raw import RawData, RawSplit
from data.sources.take_rows import take_rows
from data.sources.trec import IDS, Line, read_candidates, read_judgements, read_texts, refuse_twice, titled
from data.sources.word_overlap import overlap
from data.stores.build_once import SharedCache
from data.targets.relevance import Relevance

ALL = "all"  # the name of all splits together in the library `datasets`
ORDER = 1e-4  # weight, in words, of a row's position in its query in the first-stage ranking; only breaks ties


def is_ranked(settings: DataSettings, target: str) -> bool:
    """Return whether the settings are for queries and documents; target: the name of the target, or auto."""
    asked = settings.task if target == "auto" else target
    return asked in (Relevance.name, Relevance.task)


def read_ranked(settings: DataSettings, cache: SharedCache) -> RawData:
    """Read the splits that the settings name; DataError, with a suggestion, for ids and rows that do not fit."""
    if settings.source == "demo":
        return _of_demo(settings)
    if settings.queries is None:
        return _grouped(settings, cache)
    return _of_hub(settings, cache) if settings.source == "hub" else _of_files(settings, cache)


def _of_demo(settings: DataSettings) -> RawData:
    """Generate the splits of the built-in collection; demo_rows is the number of training pairs."""
    splits, notes = {}, list[str]()
    wanted = {"train": settings.demo_rows, "val": settings.demo_rows // 6, "test": settings.demo_rows // 6}
    for offset, (name, count) in enumerate(wanted.items()):
        queries = max(2, count // CANDIDATES)
        found, judgements, candidates = demo_collection(queries, 3 * settings.split_seed + offset, name)
        ranked = ranked_rows(judgements, candidates, settings.relevant_from, f"data={settings.name} {name}", notes)
        splits[name] = raw_split(ranked, found)
    return RawData(Relevance(settings), splits, notes=notes)


def _of_files(settings: DataSettings, cache: SharedCache) -> RawData:
    """Read a collection of four files; val and test are later cut off its queries."""
    cache.tell(f"reading {settings.qrels}")
    found = Collection(
        read_texts(settings.queries, "data.queries", settings), read_texts(settings.corpus, "data.corpus", settings)
    )
    judgements = found.known(read_judgements(settings), str(settings.qrels), "judgements")
    candidates = found.known(read_candidates(settings), str(settings.candidates), "candidates")
    return _data(settings, found, {"train": (judgements, candidates)}, str(settings.qrels))


def _of_hub(settings: DataSettings, cache: SharedCache) -> RawData:
    """Read a collection of four configurations of one hub dataset."""
    notes = offline_if_unreachable()
    cache.tell(f"reading {settings.id}")
    found = Collection(_hub_texts(settings, settings.queries), _hub_texts(settings, settings.corpus), notes)
    parts = {}
    for name, split in hub_splits(settings).items():
        lines = []
        for what, config in (("judgements", settings.qrels), ("candidates", settings.candidates)):
            where = f"{settings.id} {config} {split}"
            read = refuse_twice(list(_hub_lines(settings, config, split)), where, what)
            lines.append(found.known(read, where, what))
        parts[name] = (lines[0], lines[1])
    return _data(settings, found, parts, str(settings.id))


def _data(
    settings: DataSettings, found: Collection, parts: dict[str, tuple[list[Line], list[Line]]], where: str
) -> RawData:
    """Return the rows of each split."""
    empty = sum(not text for text in found.documents.values())
    if empty:
        found.notes.append(f"{where}: {empty:,} of {len(found.documents):,} documents are empty")
    splits = {}
    for name, (judgements, candidates) in parts.items():
        said = f"{where} {name}" if len(parts) > 1 else where
        ranked = ranked_rows(judgements, candidates, settings.relevant_from, said, found.notes)
        splits[name] = raw_split(ranked, found)
    return RawData(Relevance(settings), splits, notes=found.notes)


def _hub_texts(settings: DataSettings, config: str | None) -> dict[str, str]:
    """Return the texts of a configuration by their ids."""
    dataset = load_hub_split(replace(settings, config=config), ALL)
    where = f"{settings.id} {config}"
    name = _column(dataset.column_names, IDS, where)
    text = _column(dataset.column_names, ("text",), where)
    columns = dataset.data.table.select([name, text]).to_pydict()
    titles = dataset.data["title"].to_pylist() if "title" in dataset.column_names else [""] * len(dataset)
    found = zip(columns[name], titles, columns[text])
    return {
        str(one): titled(as_text(title or "", where, "title"), as_text(body or "", where, "text"))
        for one, title, body in found
    }


def _hub_lines(settings: DataSettings, config: str | None, split: str) -> Iterator[Line]:
    """Yield the judgements or candidates of a split."""
    dataset = load_hub_split(replace(settings, config=config), split)
    where = f"{settings.id} {config} {split}"
    names = [
        _column(dataset.column_names, choices, where)
        for choices in (("query-id", "query_id", "qid"), ("corpus-id", "corpus_id", "docid"), ("score", "label"))
    ]
    columns = dataset.data.table.select(names).to_pydict()
    for number, (query, document, value) in enumerate(zip(*(columns[name] for name in names)), 1):
        found = None if value is None else parse_number(str(value))
        if found is None or not np.isfinite(found):
            raise DataError(f"{where} row {number}: {names[2]} is {value!r}, but a number is needed. Fix that row")
        yield Line(number, str(query), str(document), found)


def _column(names: list[str], choices: tuple[str, ...], where: str) -> str:
    """Return the column that has one of these names; DataError if there is none."""
    found = next((name for name in choices if name in names), None)
    if found is None:
        raise DataError(
            f"{where} has no column {choices[0]} (columns: {listed(names)}). Try: another configuration with "
            "data.queries=, data.corpus=, data.qrels= or data.candidates="
        )
    return found


def _grouped(settings: DataSettings, cache: SharedCache) -> RawData:
    """Read rows of a query, a document and a label; data.group identifies the query of each row."""
    if settings.source == "hub":
        data = read_hub(settings, Relevance.name, has_groups=True)
    else:
        data = read_files(settings, cache, Relevance.name, has_groups=True)
    for name, split in data.splits.items():
        where = f"{settings.id or settings.path or settings.train_path} {name}"
        data.splits[name] = _rank_rows(split, settings, where, data.notes)
    return data


def _rank_rows(split: RawSplit, settings: DataSettings, where: str, notes: list[str]) -> RawSplit:
    """Return rows ordered by query, and within one by document text, descending, to ignore the order in the file."""
    import pyarrow as pa

    gains = np.maximum(np.asarray(split.labels.values, np.float64), 0.0)
    names = take_rows(split.table.select(["group"]), split.rows)["group"]
    if names.null_count:
        have = counted(names.null_count, "row has", "rows have")
        raise DataError(f"{where}: {have} no value in data.group={settings.group}. Fill them in")
    codes = names.combine_chunks().dictionary_encode().indices.to_numpy(zero_copy_only=False)
    cells = split.read(np.arange(len(split)))
    first = _first_ranking(cells["text"], cells["text_pair"], codes)
    rows = [*range(len(split))]
    rows.sort(key=lambda row: (cells["text_pair"][row], -gains[row]), reverse=True)
    rows.sort(key=codes.__getitem__)
    order = np.array(rows, np.int64)
    relevant = gains >= settings.relevant_from
    kept = np.bincount(codes, weights=relevant) > 0
    order = order[kept[codes[order]]]
    total, others = int(relevant.sum()), int((~relevant[order]).sum())
    tell(notes, where, int((~kept).sum()), len(kept), total, total, others, others)
    numbers = np.unique(codes[order], return_inverse=True)[1]
    labels = np.stack([gains[order], np.ones(len(order)), first[order], numbers], axis=1).astype(np.float32)
    table = split.table.append_column(QUERY, split.table["group"].cast(pa.string()))
    return RawSplit(table, Labels(labels), split.rows[order], split.source_rows[order])


def _first_ranking(queries: list[str], documents: list[str], codes: np.ndarray) -> np.ndarray:
    """Return how many words of the query each document has, with ties broken by the order of the rows, (rows,)."""
    found = np.array([overlap(query, document) for query, document in zip(queries, documents)], np.float64)
    order = np.argsort(codes, kind="stable")
    counts = np.bincount(codes)
    places = np.empty(len(codes))
    places[order] = np.arange(len(codes)) - np.repeat(np.cumsum(counts) - counts, counts)
    return found - ORDER * places
