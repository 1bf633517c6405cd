"""Texts that occur more than once: counted in every run; dropped, kept in one split or refused where that is wished.

Texts count as equal where they differ only in case, white space and punctuation: "normalised" is a text without these,
and of a pair both texts together. Compared are hashes: those of a split, 16 bytes a row, lie in <cache>/duplicates/ by
the split's fingerprint, so that the runs of a sweep compute them once.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from data import shared
from data.errors import DataError
from data.settings import DataSettings
from data.table import CHUNK, RawData, RawSplit

FORMAT = 1  # raise when what is hashed changes
HASHES, CHECKSUM = "hashes.npy", "sha256"
NOTED = 0.001  # above this share of a split's rows the user is told
EXAMPLES = 3  # of row numbers in a refusal
NUMBER = np.uint64(0x9E3779B97F4A7C15)  # odd: labels times it are spread over all bits
BETWEEN = b" \t\n\v\f\r!\"#%&'()*,-./:;?@[\\]_{}"  # ASCII white space and punctuation (Unicode's P, without symbols)
LOWER = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", b"abcdefghijklmnopqrstuvwxyz")


@dataclass(frozen=True)
class Hashes:
    """Of the texts of one split: as they are, and without case, white space and punctuation; (rows,) uint64 each."""

    exact: np.ndarray
    normalised: np.ndarray


def hashes_of(split: RawSplit, fingerprint: str, cache: Path) -> Hashes:
    """The hashes of a split, known by its fingerprint, from the cache; made first where they are not there."""

    def build(folder: Path) -> None:
        np.save(folder / HASHES, _hash(split))
        (folder / CHECKSUM).write_text(shared.checksum(folder / HASHES), encoding="ascii")

    key = hashlib.sha256(f"{FORMAT} {fingerprint}".encode()).hexdigest()[:20]
    path = cache / "duplicates" / key
    return shared.open_or_build(path, _open, build, damaged=f"{path} is damaged; hashing the texts again", notify=None)


def _open(folder: Path) -> Hashes | None:
    try:
        if (folder / CHECKSUM).read_text(encoding="ascii") != shared.checksum(folder / HASHES):
            return None
        return Hashes(*np.load(folder / HASHES, mmap_mode="r", allow_pickle=False))
    except (OSError, ValueError, TypeError):
        return None


def _hash(split: RawSplit) -> np.ndarray:
    """(2, rows) uint64: of the exact and of the normalised texts."""
    import pyarrow as pa

    found = np.empty((2, len(split)), dtype=np.uint64)
    for start in range(0, len(split), CHUNK):
        part = split.table.take(split.rows[start : start + CHUNK])
        names = [name for name in ("text", "text_pair") if name in part.column_names]
        exact = [part[name].cast(pa.large_binary()).to_pylist() for name in names]
        for row, texts in zip(found, (exact, [_normalised(column) for column in exact])):
            row[start : start + CHUNK] = _digests(texts)
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


def _digests(columns: list[list[bytes]]) -> np.ndarray:
    rows = columns[0] if len(columns) == 1 else map(b"\0".join, zip(*columns))
    return np.frombuffer(b"".join(hashlib.sha256(row).digest()[:8] for row in rows), dtype=np.uint64)


def count(splits: Mapping[str, RawSplit], hashes: Mapping[str, Hashes]) -> dict[str, int]:
    """How many rows repeat a text, as the record keeps it, under flat names.

    `train/exact`: rows of train with the text of an earlier row; `train+test/exact`: rows of test whose text occurs in
    train. `.../normalised`: the same without case, white space and punctuation. `.../contradicting`: rows of train (of
    test) whose normalised text has another label, or another number, in train.
    """
    labelled = {name: _labelled(one.normalised, splits[name].labels) for name, one in hashes.items()}
    found = {}
    for name, one in hashes.items():
        found[f"{name}/exact"] = len(one.exact) - len(np.unique(one.exact))
        found[f"{name}/normalised"] = len(one.normalised) - len(np.unique(one.normalised))
    for (first, one), (second, other) in itertools.combinations(hashes.items(), 2):
        found[f"{first}+{second}/exact"] = int(np.isin(other.exact, one.exact).sum())
        found[f"{first}+{second}/normalised"] = int(np.isin(other.normalised, one.normalised).sum())
    for first, second in itertools.combinations_with_replacement(hashes, 2):
        key = first if first == second else f"{first}+{second}"
        texts = hashes[first].normalised, hashes[second].normalised
        found[f"{key}/contradicting"] = int(_contradicting(*texts, labelled[first], labelled[second]).sum())
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
    at = np.minimum(np.searchsorted(values, other_texts), len(values) - 1)
    there = np.where(values[at] == other_texts, labels[at], 0)
    return np.asarray(there > np.isin(other_labelled, known))


def note(found: Mapping[str, int], rows: Mapping[str, int]) -> str | None:
    """One line about the repeats that are more than a few; None where there are none.

    found: as `count` returns it; rows: of each split.
    """
    said = []
    for key in (key.removesuffix("/normalised") for key in found if key.endswith("/normalised")):
        first, _, second = key.partition("+")
        total, repeats, wrong = rows[second or first], found[f"{key}/normalised"], found.get(f"{key}/contradicting", 0)
        if repeats > NOTED * total:
            what = f"occur in {first}" if second else "repeat an earlier row"
            other = f", {wrong:,} rows contradict a label" if wrong else ""
            said.append(f"{repeats:,} of {total:,} texts of {second or first} {what}{other}")
    return "; ".join(said) or None


def drop(data: RawData, cache: Path) -> None:
    """Keep the first of the rows of a split whose texts are equal, and drop train's rows that occur in another split.

    The first stays whatever its label is; how many of the others contradict it is counted apart.
    """
    kept: dict[str, np.ndarray] = {}
    for name, split in data.splits.items():
        texts = hashes_of(split, split.fingerprint(), cache).normalised
        _, first, inverse = np.unique(texts, return_index=True, return_inverse=True)
        is_repeat = first[inverse] != np.arange(len(texts))
        is_other = is_repeat & (split.labels != split.labels[first[inverse]])
        data.dropped |= _some(f"{name}: repeats an earlier text", is_repeat & ~is_other)
        data.dropped |= _some(f"{name}: repeats an earlier text with another label", is_other)
        data.splits[name], kept[name] = split.take(np.flatnonzero(~is_repeat)), texts[~is_repeat]
    train = kept.pop("train")
    held_out = np.isin(train, np.concatenate([*kept.values(), train[:0]]))
    data.dropped |= _some("train: text of another split", held_out)
    if held_out.all():
        raise DataError(
            f"data.duplicates=drop: all {len(train)} different texts of train occur in {' or '.join(kept)}. "
            "Try: data.duplicates=keep, or other training rows"
        )
    data.splits["train"] = data.splits["train"].take(np.flatnonzero(~held_out))


def _some(name: str, chosen: np.ndarray) -> dict[str, int]:
    return {name: int(chosen.sum())} if chosen.any() else {}


def refuse(splits: Mapping[str, RawSplit], hashes: Mapping[str, Hashes], found: Mapping[str, int]) -> None:
    """DataError with the counts, and rows to look at, where any text repeats."""
    said = []
    for name, one in hashes.items():
        _, first, inverse = np.unique(one.normalised, return_index=True, return_inverse=True)
        again = np.flatnonzero(first[inverse] != np.arange(len(inverse)))
        if len(again):
            rows = _numbers(splits[name], again, splits[name], first[inverse])
            said.append(f"{len(again):,} rows of {name} repeat an earlier one (row {rows})")
    for (first_name, one), (name, other) in itertools.combinations(hashes.items(), 2):
        values, first = np.unique(one.normalised, return_index=True)
        again = np.flatnonzero(np.isin(other.normalised, values))
        if len(again):
            at = first[np.minimum(np.searchsorted(values, other.normalised), len(values) - 1)]
            rows = _numbers(splits[name], again, splits[first_name], at)
            said.append(f"{len(again):,} rows of {name} occur in {first_name} (row {rows})")
    if said:
        wrong = sum(number for key, number in found.items() if key.endswith("/contradicting"))
        raise DataError(
            f"data.duplicates=refuse: {'; '.join(said)}; {wrong:,} of them contradict a label. "
            "Try: data.duplicates=drop, or group where splits are cut off train"
        )


def _numbers(split: RawSplit, again: np.ndarray, other: RawSplit, at: np.ndarray) -> str:
    """The first of the rows and which they equal, by the numbers that they have where they come from."""
    return ", ".join(f"{split.numbers[row]} = {other.numbers[at[row]]}" for row in again[:EXAMPLES])


def groups(data: RawData, settings: DataSettings, cache: Path) -> np.ndarray | None:
    """Which group each training row is in, (rows,): those of one number are never cut apart; None without groups.

    Rows of equal data.group, whatever data.duplicates is, and with data.duplicates=group those of equal texts. Where
    both are asked for, rows that are connected by either are one group.
    """
    train = data.splits["train"]
    by: list[np.ndarray] = []
    if settings.group:
        by.append(_values(train, settings.group))
    if settings.duplicates == "group":
        texts = hashes_of(train, train.fingerprint(), cache).normalised
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


def shared_with(texts: np.ndarray, others: Mapping[str, np.ndarray]) -> dict[str, int]:
    """How many rows of each of the others occur among the texts; all are hashes of normalised texts."""
    return {name: int(np.isin(other, texts).sum()) for name, other in others.items()}
