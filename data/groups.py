"""Which training rows must stay in one split when another is cut off train: rows with the same value in a column, or
rows joined by a rule because training on one of them gives away the other.

`contained_text`: a text that is part of a longer one, as whole words, stays with it, as phrases with their sentence.
`shared_text`: rows that share a text, in either column of a pair, stay together; so do rows linked through other rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np

from data.duplicates import as_texts, cached_file, normalise_texts, text_hashes
from data.errors import DataError
from data.settings import CONTAINED, SHARED, DataSettings
from data.sources.raw import CHUNK, RawData, RawSplit
from data.sources.take_rows import take_rows
from data.stores.build_once import SharedCache

FORMAT = 1  # raise when groups are formed in another way
STAYS = -1  # the group of rows that are never cut off train


def row_groups(data: RawData, settings: DataSettings, cache: SharedCache) -> np.ndarray | None:
    """Return the group of each training row, (rows,) int64; rows of a group stay in one split. None without groups.

    Rows are in one group if data.group joins them, if their texts are equal (with data.duplicates=group), or if the
    target keeps them together, such as the documents of a query; so are rows connected through several of these. Rows
    of the group STAYS are never cut off train.
    """
    train = data.splits["train"]
    by: list[np.ndarray] = []
    if settings.group:
        by.append(_ruled(train, settings.group, cache) if settings.group in RULES else _values(train, settings.group))
    if settings.duplicates == "group":
        texts = text_hashes(train, train.fingerprint(), cache)
        by.append(np.unique(texts, return_inverse=True)[1])
    own = data.target.groups(train.labels)
    by += [] if own is None else [own]
    return reduce(join_groups, by) if by else None


def _ruled(train: RawSplit, rule: str, cache: SharedCache) -> np.ndarray:
    """Return the groups that a rule forms, (rows,) int64, from the cache if it has them."""

    def build(path: Path) -> None:
        cache.tell(f"joining {len(train):,} training rows by data.group={rule}")
        np.save(path, RULES[rule](train))

    if not train.holds_texts:
        raise DataError(f"data.group={rule} joins texts, but these are sounds. Try: data.group=<a column, or null>")
    if rule == CONTAINED and len(train.columns) > 1:
        raise DataError(f"data.group={CONTAINED} is for single texts, but these are pairs. Try: data.group={SHARED}")
    return cached_file(cache, f"groups {FORMAT} {rule} {train.fingerprint()}", "groups.npy", build, np.load)


def by_contained_text(split: RawSplit) -> np.ndarray:
    """Return the groups (rows,) int64 of texts and the phrases contained in them, one for each longest text.

    Texts are compared by their lower-case words, which white space and punctuation separate. A phrase that is contained
    in several longest texts cannot be in one split with all of them: its group is STAYS, so that no text of another
    split is contained in a training text. (Joining everything that such phrases connect would leave a single group: "a
    film" occurs in hundreds of sentences.)
    """
    texts = list(_words(split))
    holders = dict[str, int]()  # by text: the number of the longest text that contains it
    longest: list[str] = []
    holding: defaultdict[str, list[int]] = defaultdict(list)  # by word: the longest texts that contain it
    for text in sorted(set(texts), key=lambda text: (-text.count(" "), text)):
        words = set(text.split())
        rarest = min((holding[word] for word in words), key=len, default=[])
        found = [number for number in rarest if text in longest[number]]
        if not found:
            found = [len(longest)]
            longest.append(text)
            for word in words:
                holding[word].append(found[0])
        holders[text] = found[0] if len(found) == 1 else STAYS
    return np.array([holders[text] for text in texts], dtype=np.int64)


def by_shared_text(split: RawSplit) -> np.ndarray:
    """Return the groups (rows,) int64 of rows that are connected by equal texts; an empty text connects nothing.

    Texts are equal if they differ only in case, white space and punctuation.
    """
    numbers = dict[bytes, int]()
    columns = [
        np.array([numbers.setdefault(text or b"\0%d" % row, len(numbers)) for row, text in enumerate(column)])
        for column in _columns(split)
    ]
    return _connected(columns[0], columns[-1], len(numbers))


RULES: dict[str, Callable[[RawSplit], np.ndarray]] = {CONTAINED: by_contained_text, SHARED: by_shared_text}


def _words(split: RawSplit) -> Iterator[str]:
    """Yield the words of each text, with a space before and after each; a text without words is left unchanged."""
    import pyarrow as pa
    import pyarrow.compute as pc

    table = split.table.select(split.columns[:1])
    for start in range(0, len(split), CHUNK):
        part = take_rows(table, split.rows[start : start + CHUNK])
        texts = as_texts(part[0]).cast(pa.large_string())
        words = pc.replace_substring_regex(pc.utf8_lower(texts), r"[\s\pZ\pP]+", " ").to_pylist()
        yield from (f" {found.strip() or text} " for found, text in zip(words, texts.to_pylist()))


def _columns(split: RawSplit) -> Iterator[list[bytes]]:
    """Yield the normalised texts of each column."""
    import pyarrow as pa

    for name in split.columns:
        texts = take_rows(split.table.select([name]), split.rows)[name]
        yield normalise_texts(as_texts(texts).cast(pa.large_binary()).to_pylist())


def _values(split: RawSplit, column: str) -> np.ndarray:
    """Number the values of the group column, (rows,); DataError for rows without one, which would form one group."""
    import pyarrow as pa

    values = take_rows(split.table.select(["group"]), split.rows)["group"]
    try:
        found = values.combine_chunks().dictionary_encode()
        numbers = np.asarray(found.indices.fill_null(-1).to_numpy(zero_copy_only=False))
        is_blank = np.array(
            [value is None or not str(value).strip() for value in [*found.dictionary.to_pylist(), None]]
        )
        if lacking := int(is_blank[numbers].sum()):
            raise DataError(f"data.group={column}: {lacking} training rows have no value. Try: another column")
        return numbers
    except pa.ArrowNotImplementedError as error:
        raise DataError(
            f"data.group={column} holds {values.type}, not texts or numbers. Try: another column"
        ) from error


def join_groups(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Join rows that share a group in either array; return (rows,). A group with any row of STAYS becomes STAYS."""
    stays = first == STAYS
    offset = int(first.max(initial=0)) + 1
    alone = np.where(stays, offset + np.cumsum(stays) - 1, first)  # rows that stay are not connected by that alone
    offset += int(stays.sum())
    joined = _connected(alone, second + offset, offset + int(second.max()) + 1)
    return np.where(np.isin(joined, joined[stays]), STAYS, joined)


def _connected(first: np.ndarray, second: np.ndarray, nodes: int) -> np.ndarray:
    """Return the connected component (rows,) of each row, where a row is an edge between two of the nodes."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    edges: Any = coo_array((np.ones(len(first), bool), (first, second)), shape=(nodes, nodes))
    return np.asarray(connected_components(edges, directed=False)[1][first])
