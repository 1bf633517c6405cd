"""Texts that occur more than once: every run counts them, and can drop them, keep them in one split or refuse them.

Two texts are equal if they differ only in case, white space and punctuation; a text without these is called normalised.
For pairs, both texts must be equal. Two sounds are equal if the samples read from them are the same, and exactly equal
if their files have the same bytes. Texts are compared by hashes, 8 bytes a row, which are kept in <cache>/duplicates/
under the split's fingerprint, so that the runs of a sweep compute them once.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from data.counted import counted
from data.errors import DataError
from data.sources.raw import CHUNK, RawData, RawSplit
from data.sources.take_rows import take_rows
from data.stores.build_once import SharedCache, checksum

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT = 1  # raise when hashes or counts are computed in another way
HASHES, COUNTS, CHECKSUM = "hashes.npy", "counts.json", "sha256"
NOTED = 0.001  # above this share of a split's rows the user is told
EXAMPLES = 3  # of row numbers in an error message
NUMBER = np.uint64(0x9E3779B97F4A7C15)  # odd, so that a product with it mixes all bits
BETWEEN = b" \t\n\v\f\r!\"#%&'()*,-./:;?@[\\]_{}"  # ASCII white space and punctuation (Unicode's P, without symbols)
LOWER = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", b"abcdefghijklmnopqrstuvwxyz")
Found = TypeVar("Found")


def text_hashes(split: RawSplit, fingerprint: str, cache: SharedCache) -> np.ndarray:
    """Return the hashes (rows,) uint64 of a split's normalised texts, from the cache if it has them."""

    if (own := split.own_hashes(exact=False)) is not None:
        return own

    def build(path: Path) -> None:
        np.save(path, _hash(split, normalise_texts))

    return cached_file(cache, f"hashes {fingerprint}", HASHES, build, lambda path: np.load(path, mmap_mode="r"))


def cached_counts(
    splits: Mapping[str, RawSplit], fingerprints: Mapping[str, str], cache: SharedCache
) -> dict[str, int]:
    """Return `count_repeats` of the splits that have fingerprints, from the cache if it has the result.

    Sounds are always counted: how much of each is read is a setting that their fingerprints do not include.
    """

    def count() -> dict[str, int]:
        return count_repeats(splits, {name: text_hashes(splits[name], of, cache) for name, of in fingerprints.items()})

    def build(path: Path) -> None:
        path.write_text(json.dumps(count(), indent=2), encoding="utf-8")

    def read(path: Path) -> dict[str, int]:
        return dict(json.loads(path.read_text(encoding="utf-8")))

    if not splits["train"].holds_texts:
        return count()
    return cached_file(cache, f"counts {json.dumps(fingerprints)}", COUNTS, build, read)


def cached_file(
    cache: SharedCache, content: str, name: str, build: Callable[[Path], None], read: Callable[[Path], Found]
) -> Found:
    """Read a file of the cache, building it first if it is missing or damaged; content: the key of its folder."""

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
    return cache.open_or_build(path, opened, fill, damaged=f"{path} is damaged; comparing the texts again")


def _hash(split: RawSplit, change: Callable[[list[bytes]], list[bytes]]) -> np.ndarray:
    """Hash the texts after applying `change`, (rows,) uint64; the two texts of a pair are hashed together."""
    import pyarrow as pa

    found = np.empty(len(split), dtype=np.uint64)
    for start in range(0, len(split), CHUNK):
        part = take_rows(split.table.select(split.columns), split.rows[start : start + CHUNK])
        columns = [change(as_texts(part[name]).cast(pa.large_binary()).to_pylist()) for name in split.columns]
        rows = columns[0] if len(columns) == 1 else map(b"\0".join, zip(*columns))
        digests = b"".join(hashlib.sha256(row).digest()[:8] for row in rows)
        found[start : start + CHUNK] = np.frombuffer(digests, dtype=np.uint64)
    return found


def as_texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column of texts, or of words joined by spaces, as texts."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.binary_join(column, " ") if pa.types.is_list(column.type) else column


def normalise_texts(texts: list[bytes]) -> list[bytes]:
    """Remove case, white space and punctuation from UTF-8 texts; a text with nothing else is left unchanged."""
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
    """Count the rows that repeat a text, by the flat names of the record.

    `train/exact`: rows of train with the text of an earlier row; `train+test/exact`: rows of test whose text occurs in
    train. `.../normalised`: likewise for normalised texts. `.../contradicting`: rows of train (or of test) whose
    normalised text has another label in train.
    """
    values, times = np.unique(np.concatenate(list(hashes.values())), return_counts=True)
    rows = {name: np.flatnonzero(np.isin(texts, values[times > 1])) for name, texts in hashes.items()}
    some = {name: splits[name].take(chosen) for name, chosen in rows.items()}  # rows whose text recurs
    normalised = {name: np.asarray(hashes[name][chosen]) for name, chosen in rows.items()}
    labelled = {name: _labelled(texts, some[name].labels.keys()) for name, texts in normalised.items()}
    exact = {name: _exact(split) for name, split in some.items()}
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


def _exact(split: RawSplit) -> np.ndarray:
    """Return the hashes (rows,) uint64 of a split's texts without any normalisation, or of its audio files."""
    own = split.own_hashes(exact=True)
    return _hash(split, lambda texts: texts) if own is None else own


def _labelled(hashes: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Combine the hashes of texts with the keys of their labels, both (rows,) uint64, into one hash per row."""
    return np.asarray(hashes + labels * NUMBER)


def _contradicting(
    texts: np.ndarray, other_texts: np.ndarray, labelled: np.ndarray, other_labelled: np.ndarray
) -> np.ndarray:
    """Return which of the other rows have a text with a different label among the first rows, (other rows,) bool."""
    pairs, first = np.unique(labelled, return_index=True)
    values, labels = np.unique(texts[first], return_counts=True)  # how many labels each text has
    at = np.searchsorted(values, other_texts)
    values, labels = np.append(values, np.uint64(0)), np.append(labels, 0)  # for texts beyond the last
    num_labels = np.where(values[at] == other_texts, labels[at], 0)
    return np.asarray(num_labels > np.isin(other_labelled, pairs))


def repeats_note(found: Mapping[str, int], rows: Mapping[str, int]) -> str | None:
    """Return one line about splits with more than 0.1 % repeats; None if there is no such split.

    found: as returned by `count_repeats`; rows: the number of rows of each split.
    """
    found_in = []
    keys = [key.removesuffix("/normalised") for key in found if key.endswith("/normalised")]
    for key in sorted(keys, key=lambda key: "+" not in key):  # repeats across splits first: they make scores too good
        first, _, second = key.partition("+")
        total, repeats, wrong = rows[second or first], found[f"{key}/normalised"], found.get(f"{key}/contradicting", 0)
        if repeats > NOTED * total:
            what = f"occur in {first}" if second else "repeat an earlier row"
            other = f", {counted(wrong, 'row contradicts', 'rows contradict')} a label" if wrong else ""
            found_in.append(f"{repeats:,} of {total:,} texts of {second or first} {what}{other}")
    return "; ".join(found_in) or None


def drop_repeats(data: RawData, cache: SharedCache) -> None:
    """Keep the first of equal texts in each split, and drop the rows of train whose texts occur in another split.

    The first row is kept whatever its label is; dropped rows with a different label are counted separately. Raises
    DataError if nothing is left to train on.
    """
    kept, lost = dict[str, np.ndarray](), dict[str, int]()
    for name, split in data.splits.items():
        texts = text_hashes(split, split.fingerprint(), cache)
        first = _first(texts)
        is_repeat = first != np.arange(len(texts))
        labels = split.labels.keys()
        is_other = is_repeat & (labels != labels[first])
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
        counts = ", ".join(f"{counted(rows, 'row')} ({what})" for what, rows in lost.items() if rows)
        data.notes.append(f"data.duplicates=drop left out {counts}")


def _first(texts: np.ndarray) -> np.ndarray:
    """Return for each row the first row with the same text, (rows,)."""
    _, first, inverse = np.unique(texts, return_index=True, return_inverse=True)
    return np.asarray(first[inverse])


def rows_found(texts: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows whose text occurs among the others, and where each first occurs there; both (rows found,)."""
    first = _first(np.concatenate([others, texts]))[len(others) :]
    found = np.flatnonzero(first < len(others))
    return found, first[found]


def accuracy_ceiling(texts: np.ndarray, labels: np.ndarray) -> float:
    """Return the highest accuracy of any function of these hashes: it predicts each text's most frequent label.

    texts: (rows,) hashes; labels: (rows,) label keys, as from `Labels.keys`. Returns 1 if there are no rows.
    """
    if not len(texts):
        return 1.0
    _, first, times = np.unique(_labelled(texts, labels), return_index=True, return_counts=True)
    order = np.argsort(texts[first], kind="stable")
    starts = np.flatnonzero(np.diff(texts[first][order], prepend=~texts[first][order][0]))
    return float(np.maximum.reduceat(times[order], starts).sum() / len(texts))


def refuse_repeats(splits: Mapping[str, RawSplit], hashes: Mapping[str, np.ndarray], found: Mapping[str, int]) -> None:
    """Raise DataError, with counts and examples, if any text repeats."""
    problems = []
    for name, texts in hashes.items():
        first, numbers = _first(texts), splits[name].source_rows
        again = np.flatnonzero(first != np.arange(len(first)))
        if len(again):
            rows = _pairs(numbers[again], numbers[first[again]])
            repeat = counted(len(again), f"row of {name} repeats", f"rows of {name} repeat")
            problems.append(f"{repeat} an earlier one (rows {rows})")
    for (other, theirs), (name, texts) in itertools.combinations(hashes.items(), 2):
        again, first = rows_found(texts, theirs)
        if len(again):
            rows = _pairs(splits[name].source_rows[again], splits[other].source_rows[first])
            occur = counted(len(again), f"row of {name} occurs", f"rows of {name} occur")
            problems.append(f"{occur} in {other} (rows {rows})")
    if problems:
        wrong = sum(rows for key, rows in found.items() if key.endswith("/contradicting"))
        other = f"; {counted(wrong, 'row contradicts', 'rows contradict')} a label" if wrong else ""
        raise DataError(
            f"data.duplicates=refuse: {'; '.join(problems)}{other}. "
            "Try: data.duplicates=drop, or data.duplicates=group if splits are cut off train"
        )


def _pairs(rows: np.ndarray, others: np.ndarray) -> str:
    """List the first few of these rows, each with the row that it repeats, by their numbers in the source."""
    shown = ", ".join(f"{row} = {other}" for row, other in zip(rows[:EXAMPLES], others))
    return shown + (", ..." if len(rows) > EXAMPLES else "")


def count_overlaps(texts: np.ndarray, others: Mapping[str, np.ndarray]) -> dict[str, int]:
    """Count the rows of each of the others that occur among the texts; all are hashes of normalised texts."""
    return {name: int(np.isin(other, texts).sum()) for name, other in others.items()}
