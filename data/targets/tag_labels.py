"""Tags as class ids: the training rows, or the data set itself, define which tags exist and in which order."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

import numpy as np

from data.errors import DataError
from data.quoting import hydra_setting
from data.sources.tagged import TagColumn
from data.targets.tag_schemes import OUTSIDE, Scheme, detect_scheme, entity_types, split_tag, to_iob2

KEY = "data.label_names"
SHOWN = 12  # tags in a message


def learn_scheme(column: TagColumn, offsets: np.ndarray, given: Sequence[str] = ()) -> Scheme:
    """Detect the tagging scheme of the training rows, and the order of the tags as classes.

    offsets: (rows + 1,) where the words of each row begin; given: tags named by the user (data.label_names). The order
    is that of `given`, else the dataset's own, else alphabetical; O is first. Raises DataError.
    """
    names = tuple(given) or column.names or tuple(sorted(column.tags))
    missing = [tag for tag in column.tags if tag not in names and tag in _used(column)]
    kinds = entity_types(names)
    names += tuple(tag for tag in missing if (parts := split_tag(tag)) and parts[1] in kinds)  # B-X stands for I-X too
    if missing := [tag for tag in missing if tag not in names]:
        raise DataError(
            f"{KEY}=[{','.join(names)}] lacks the tag {missing[0]!r}, which the training rows have. "
            f"Try: {KEY}=[{','.join([*names, *missing])}]"
        )
    if len(set(names)) < len(names):
        double = next(name for name in names if names.count(name) > 1)
        raise DataError(f"{KEY} has {double!r} twice; each tag is one class. Leave one of them out")
    ids = {name: i for i, name in enumerate(names)}
    codes = np.array([ids.get(tag, 0) for tag in column.tags], np.int64)[column.values]
    scheme = detect_scheme(codes, offsets, names, column.key)
    if len(scheme.names) < 2 or len(np.unique(codes)) < 2:
        only = column.tags[int(column.values[0])] if len(column.values) else "none"
        raise DataError(
            f"{column.key}: all words of the training rows have the tag {only!r}; there is nothing to learn. "
            "Try: another column with data.tags=..."
        )
    return scheme


def refuse_odd_tags(column: TagColumn, offsets: np.ndarray, where: str, source_rows: np.ndarray) -> None:
    """Raise DataError if fewer words have a tag that fits no scheme of entities than have one that does.

    One b-PER among B-PER would make all tags plain, so words would be scored, not entities. offsets: (rows + 1,)
    where the words of each row begin; source_rows: (rows,) numbers in the source, for messages.
    """
    parts = [split_tag(tag) for tag in column.tags]
    counts = np.bincount(column.values, minlength=len(parts))
    odd = [code for code, part in enumerate(parts) if part is None and counts[code]]
    marked = sum(int(count) for count, part in zip(counts, parts) if part and part[0])
    found = int(counts[odd].sum())
    if odd and found < marked:
        tag, row = column.tags[odd[0]], _first_row(column, odd[0], offsets, source_rows)
        names = shlex.quote(hydra_setting(KEY, sorted(_used(column))))
        raise DataError(
            f"{where}: the tag {tag!r} ({column.key}, first in row {row}) fits no scheme of entities (words with such "
            f"tags: {found:,}, with tags that fit: {marked:,}). Fix such rows; or, to score words instead of entities: "
            f"{names}"
        )


def encode_tags(
    column: TagColumn, offsets: np.ndarray, scheme: Scheme, where: str, source_rows: np.ndarray
) -> np.ndarray:
    """Return the tags of a split as ids into `scheme.names`, (words,) int64; schemes are converted to IOB2.

    source_rows: (rows,) numbers in the source, for messages. DataError for a tag that the training rows do not have.
    """
    known = set(scheme.names)
    for code, count in zip(*np.unique(column.values, return_counts=True)):
        tag = column.tags[code]
        if _as_begin(tag, scheme) not in known:
            row = _first_row(column, code, offsets, source_rows)
            names = [*scheme.names, _as_begin(tag, scheme)]
            raise DataError(
                f"{where}: the tag {tag!r} ({column.key}) occurs {count:,} times, first in row {row}, and in no "
                f"training row. Fix such rows, or allow it: {KEY}=[{','.join(names)}]"
            )
    return to_iob2(column.values, offsets, column.tags, scheme)


def _first_row(column: TagColumn, code: int, offsets: np.ndarray, source_rows: np.ndarray) -> int:
    """Return the number of the first row with a tag, by its code."""
    place = int(np.argmax(column.values == code))
    return int(source_rows[int(np.searchsorted(offsets, place, side="right")) - 1])


def _used(column: TagColumn) -> set[str]:
    """Return the tags that occur on words; a dataset may declare more."""
    return {column.tags[code] for code in np.unique(column.values)}


def _as_begin(tag: str, scheme: Scheme) -> str:
    """Return the tag that begins an entity of this tag's type; plain tags and O are returned unchanged."""
    parts = split_tag(tag)
    if scheme.name == "plain" or tag == OUTSIDE or parts is None:
        return tag
    return f"B-{parts[1]}"
