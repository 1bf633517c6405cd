"""Texts that occur more than once: counted in every run; dropped, kept in one split or refused where that is wished.

Texts count as equal where they differ only in case, white space and punctuation: "normalised" is a text without these,
and of a pair both texts together. Compared are hashes: those of a split, 8 bytes a row, lie in <cache>/duplicates/ by
the split's fingerprint, so that the runs of a sweep compute them once.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from data.errors import DataError
from data.settings import DataSettings
from data.sources.raw import CHUNK, RawData, RawSplit
from data.stores.build_once import SharedCache, checksum

FORMAT = 1  # raise when what is hashed or counted changes
HASHES, COUNTS, CHECKSUM = "hashes.npy", "counts.json", "sha256"
NOTED = 0.001  # above this share of a split's rows the user is told
EXAMPLES = 3  # of row numbers in a refusal
NUMBER = np.uint64(0x9E3779B97F4A7C15)  # odd: labels times it are spread over all bits
BETWEEN = b" \t\n\v\f\r!\"#%&'()*,-./:;?@[\\]_{}"  # ASCII white space and punctuation (Unicode's P, without symbols)
LOWER = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", b"abcdefghijklmnopqrstuvwxyz")
Found = TypeVar("Found")


def text_hashes(split: RawSplit, fingerprint: str, cache: SharedCache) -> np.ndarray:
    """(rows,) uint64 of the normalised texts of a split, known by its fingerprint; kept in the cache."""

    def build(path: Path) -> None:
        np.save(path, _hash(split, _normalised))

    return _kept(cache, f"hashes {fingerprint}", HASHES, build, lambda path: np.load(path, mmap_mode="r"))


def cached_counts(
    splits: Mapping[str, RawSplit], fingerprints: Mapping[str, str], cache: SharedCache
) -> dict[str, int]:
    """What `count` finds in the splits that have fingerprints; kept in the cache."""

    def build(path: Path) -> None:
        hashes = {name: text_hashes(splits[name], value, cache) for name, value in fingerprints.items()}
        found = count_repeats(splits, hashes)
        path.write_text(json.dumps(found, indent=2), encoding="utf-8")

    def read(path: Path) -> dict[str, int]:
        return dict(json.loads(path.read_text(encoding="utf-8")))

    return _kept(cache, f"counts {json.dumps(fingerprints)}", COUNTS, build, read)


def _kept(
    cache: SharedCache, content: str, name: str, build: Callable[[Path], None], read: Callable[[Path], Found]
) -> Found:
    """What is read from a file of the cache that is known by its content; built where it is missing or damaged."""

    def fill(folder: Path) -> None:
        build(folder / name)
        (folder / CHECKSUM).write_text(checksum(folder / name), encoding="ascii")

    def opened(folder: Path) -> Found | None:
        try:
            is_whole = (folder / CHECKSUM).read_text(encoding="ascii") == checksum(folder / name)
            return read(folder / name) if is_whole else None
        except (OSError, ValueError):
            return None

    path = cache.folder / "duplicates" / hashlib.sha256(f"{FORMAT} {content}".encode()).hexdigest()[:20]
    return cache.open_or_build(path, opened, fill, damaged=f"{path} is damaged; counting repeated texts again")


def _hash(split: RawSplit, change: Callable[[list[bytes]], list[bytes]]) -> np.ndarray:
    """(rows,) uint64 of the changed texts; of pairs, of both together."""
    import pyarrow as pa

    found = np.empty(len(split), dtype=np.uint64)
    for start in range(0, len(split), CHUNK):
        part = split.table.take(split.rows[start : start + CHUNK])
        names = [name for name in ("text", "text_pair") if name in part.column_names]
        columns = [change(part[name].cast(pa.large_binary()).to_pylist()) for name in names]
        rows = columns[0] if len(columns) == 1 else map(b"\0".join, zip(*columns))
        digests = b"".join(hashlib.sha256(row).digest()[:8] for row in rows)
        found[start : start + CHUNK] = np.frombuffer(digests, dtype=np.uint64)
    return found


def _normalised(texts: list[bytes]) -> list[bytes]:
    """UTF-8 texts without case, white space and punctuation; a text of nothing else stays as it is."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = [text.translate(LOWER, BETWEEN) for text in texts]
    others = [index for index, text in enumerate(found) if not text.isascii()]
    if others:
        lower = pc.utf8_lower(pa.array([found[index] for index in others], pa.large_binary()).cast(pa.large_string()))
        rest = pc.replace_substring_regex(lower, r"[\pZ\pP]+", "")
        for index, text in zip(others, rest.cast(pa.large_binary()).to_pylist()):
            found[index] = text
    return [short or text for short, text in zip(found, texts)]


def count_repeats(splits: Mapping[str, RawSplit], hashes: Mapping[str, np.ndarray]) -> dict[str, int]:
    """How many rows repeat a text, as the record keeps it, under flat names.

    `train/exact`: rows of train with the text of an earlier row; `train+test/exact`: rows of test whose text occurs in
    train. `.../normalised`: the same without case, white space and punctuation. `.../contradicting`: rows of train (of
    test) whose normalised text has another label, or another number, in train.
    """
    values, times = np.unique(np.concatenate(list(hashes.values())), return_counts=True)
    rows = {name: np.flatnonzero(np.isin(texts, values[times > 1])) for name, texts in hashes.items()}
    some = {name: splits[name].take(chosen) for name, chosen in rows.items()}  # only these can repeat
    normalised = {name: np.asarray(hashes[name][chosen]) for name, chosen in rows.items()}
    labelled = {name: _labelled(texts, some[name].labels) for name, texts in normalised.items()}
    exact = {name: _hash(split, lambda texts: texts) for name, split in some.items()}
    found = dict[str, int]()
    for kind, texts in (("exact", exact), ("normalised", normalised)):
        found |= {f"{name}/{kind}": len(one) - len(np.unique(one)) for name, one in texts.items()}
        for first, second in itertools.combinations(texts, 2):
            found[f"{first}+{second}/{kind}"] = int(np.isin(texts[second], texts[first]).sum())
    for first, second in itertools.combinations_with_replacement(normalised, 2):
        key = first if first == second else f"{first}+{second}"
        wrong = _contradicting(normalised[first], normalised[second], labelled[first], labelled[second])
        found[f"{key}/contradicting"] = int(wrong.sum())
    return found


def _labelled(hashes: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Hashes of text and label together."""
    return np.asarray(hashes + (labels.astype(np.float64) + 0.0).view(np.uint64) * NUMBER)  # -0.0 is 0.0


def _contradicting(
    texts: np.ndarray, other_texts: np.ndarray, labelled: np.ndarray, other_labelled: np.ndarray
) -> np.ndarray:
    """Which of the other rows have a text that has another label among the first rows, (other rows,) bool."""
    known, first = np.unique(labelled, return_index=True)
    values, labels = np.unique(texts[first], return_counts=True)  # how many labels each text has
    at = np.searchsorted(values, other_texts)
    values, labels = np.append(values, np.uint64(0)), np.append(labels, 0)  # for texts beyond the last
    there = np.where(values[at] == other_texts, labels[at], 0)
    return np.asarray(there > np.isin(other_labelled, known))


def repeats_note(found: Mapping[str, int], rows: Mapping[str, int]) -> str | None:
    """One line about the repeats that are more than a few; None where there are none.

    found: as `count` returns it; rows: of each split.
    """
    said = []
    keys = [key.removesuffix("/normalised") for key in found if key.endswith("/normalised")]
    for key in sorted(keys, key=lambda key: "+" not in key):  # first what a score suffers from
        first, _, second = key.partition("+")
        total, repeats, wrong = rows[second or first], found[f"{key}/normalised"], found.get(f"{key}/contradicting", 0)
        if repeats > NOTED * total:
            what = f"occur in {first}" if second else "repeat an earlier row"
            other = f", {wrong:,} rows contradict a label" if wrong else ""
            said.append(f"{repeats:,} of {total:,} texts of {second or first} {what}{other}")
    return "; ".join(said) or None


def drop_repeats(data: RawData, cache: SharedCache) -> None:
    """Keep the first of the rows of a split whose texts are equal, and drop train's rows that occur in another split.

    The first stays whatever its label is; how many of the others contradict it is counted apart. Raises DataError
    where nothing is left to train on.
    """
    kept, lost = dict[str, np.ndarray](), dict[str, int]()
    for name, split in data.splits.items():
        texts = text_hashes(split, split.fingerprint(), cache)
        first = _first(texts)
        is_repeat = first != np.arange(len(texts))
        is_other = is_repeat & (split.labels != split.labels[first])
        lost[f"{name}: repeats an earlier text"] = int((is_repeat & ~is_other).sum())
        lost[f"{name}: repeats an earlier text with another label"] = int(is_other.sum())
        data.splits[name], kept[name] = split.take(np.flatnonzero(~is_repeat)), texts[~is_repeat]
    train = kept.pop("train")
    is_held_out = np.isin(train, np.concatenate([*kept.values(), train[:0]]))
    if is_held_out.all():
        raise DataError(
            f"data.duplicates=drop: all {len(train):,} different texts of train occur in {' or '.join(kept)}. "
            "Try: data.duplicates=keep, or other training rows"
        )
    data.splits["train"] = data.splits["train"].take(np.flatnonzero(~is_held_out))
    lost["train: text of another split"] = int(is_held_out.sum())
    data.dropped |= {what: rows for what, rows in lost.items() if rows}
    if any(lost.values()):
        said = ", ".join(f"{rows:,} rows ({what})" for what, rows in lost.items() if rows)
        data.notes.append(f"data.duplicates=drop left out {said}")


def _first(texts: np.ndarray) -> np.ndarray:
    """The first row with the text of each row, (rows,)."""
    _, first, inverse = np.unique(texts, return_index=True, return_inverse=True)
    return np.asarray(first[inverse])


def refuse_repeats(splits: Mapping[str, RawSplit], hashes: Mapping[str, np.ndarray], found: Mapping[str, int]) -> None:
    """DataError with the counts, and rows to look at, where any text repeats."""
    said = []
    for name, texts in hashes.items():
        first, numbers = _first(texts), splits[name].source_rows
        again = np.flatnonzero(first != np.arange(len(first)))
        if len(again):
            rows = _pairs(numbers[again], numbers[first[again]])
            said.append(f"{len(again):,} rows of {name} repeat an earlier one (rows {rows})")
    for (other, theirs), (name, texts) in itertools.combinations(hashes.items(), 2):
        first = _first(np.concatenate([theirs, texts]))[len(theirs) :]
        again = np.flatnonzero(first < len(theirs))
        if len(again):
            rows = _pairs(splits[name].source_rows[again], splits[other].source_rows[first[again]])
            said.append(f"{len(again):,} rows of {name} occur in {other} (rows {rows})")
    if said:
        wrong = sum(rows for key, rows in found.items() if key.endswith("/contradicting"))
        raise DataError(
            f"data.duplicates=refuse: {'; '.join(said)}{f'; {wrong:,} rows contradict a label' if wrong else ''}. "
            "Try: data.duplicates=drop, or group where splits are cut off train"
        )


def _pairs(rows: np.ndarray, others: np.ndarray) -> str:
    """The first of the rows and which rows they equal, by their numbers in the source."""
    shown = ", ".join(f"{row} = {other}" for row, other in zip(rows[:EXAMPLES], others))
    return shown + (", ..." if len(rows) > EXAMPLES else "")


def row_groups(data: RawData, settings: DataSettings, cache: SharedCache) -> np.ndarray | None:
    """Which group each training row is in, (rows,): those of one number are never cut apart; None without groups.

    Rows of equal data.group, whatever data.duplicates is, and with data.duplicates=group those of equal texts. Where
    both are asked for, rows that are connected by either are one group.
    """
    train = data.splits["train"]
    by: list[np.ndarray] = []
    if settings.group:
        by.append(_values(train, settings.group))
    if settings.duplicates == "group":
        texts = text_hashes(train, train.fingerprint(), cache)
        by.append(np.unique(texts, return_inverse=True)[1])
    return _connected(*by) if len(by) == 2 else by[0] if by else None


def _values(split: RawSplit, column: str) -> np.ndarray:
    """A number for each different value of the group column, (rows,)."""
    import pyarrow as pa

    values = split.table["group"].take(split.rows)
    if values.null_count:
        raise DataError(f"data.group={column}: {values.null_count} training rows have no value. Try: another column")
    try:
        return np.asarray(values.combine_chunks().dictionary_encode().indices.to_numpy(zero_copy_only=False))
    except pa.ArrowNotImplementedError as error:
        raise DataError(
            f"data.group={column} holds {values.type}, not texts or numbers. Try: another column"
        ) from error


def _connected(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The connected components of rows that share a number in either array."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    offset = int(first.max()) + 1
    nodes = offset + int(second.max()) + 1
    edges: Any = coo_array((np.ones(len(first), bool), (first, second + offset)), shape=(nodes, nodes))
    return np.asarray(connected_components(edges, directed=False)[1][first])


def count_overlaps(texts: np.ndarray, others: Mapping[str, np.ndarray]) -> dict[str, int]:
    """How many rows of each of the others occur among the texts; all are hashes of normalised texts."""
    return {name: int(np.isin(other, texts).sum()) for name, other in others.items()}
