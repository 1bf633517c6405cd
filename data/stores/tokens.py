"""The token store: rows tokenised once into flat memory-mapped arrays, shared by all processes of a sweep.

<cache>/tokens/<key>/ holds the files tokens, offsets, second (where second texts start) and labels, and meta.json with
their checksums; if rows have several labels, also label_offsets, places, words and characters. A token is an id or an
audio frame. Rows stream from the source to the files, so memory use does not grow with the data.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from data.inputs.word_cache import Encoded
from data.json_types import JsonObject
from data.labels import Labels
from data.splits import RowInput, RowTarget, TokenSplit
from data.stores.build_once import SharedCache, checksum

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike

FORMAT = 1  # raise when the files, or the way rows are encoded, change
SEGMENT_STARTS = "second"  # the file with TokenSplit.segment_starts
# Files of the labels; all but the first only if rows have several labels.
LABELS, ITEMS, PLACES, WORDS, CHARACTERS = "labels", "label_offsets", "places", "words", "characters"
Rows = Iterable[tuple[Encoded, Labels]]  # token ids and labels of successive chunks


class _Writer:
    """Writes an array to a file, chunk by chunk, with a running checksum."""

    def __init__(self, folder: Path, name: str, dtype: DTypeLike, columns: int | None = None) -> None:
        self.name, self.dtype, self.columns = name, np.dtype(dtype), columns  # columns: if the array is 2-D
        self._stream = (folder / name).open("wb")
        self._digest = hashlib.sha256()

    def add(self, values: ArrayLike) -> None:
        """Append values."""
        raw = np.asarray(values, dtype=self.dtype).tobytes()
        self._digest.update(raw)
        self._stream.write(raw)

    def close(self) -> JsonObject:
        """Flush to disk; return the file's dtype, checksum and, for a 2-D array, columns for meta.json."""
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._stream.close()
        columns = {} if self.columns is None else {"columns": self.columns}
        return {"dtype": self.dtype.str, "sha256": self._digest.hexdigest()} | columns


class _LabelWriter:
    """Writes labels chunk by chunk; offsets, places and the like only if rows have several labels."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.writers: dict[str, _Writer] = {}
        self.items = 0

    def add(self, labels: Labels) -> None:
        """Append the labels of a chunk."""
        if not self.writers:
            self._start(labels)
        self.writers[LABELS].add(labels.values)
        if labels.offsets is not None:
            self.writers[ITEMS].add(self.items + labels.offsets[1:])
            self.items += len(labels.values)
        if labels.places is not None:
            self.writers[PLACES].add(labels.places)
        if labels.words is not None:
            self.writers[WORDS].add(labels.words)
        if labels.characters is not None:
            self.writers[CHARACTERS].add(labels.characters)

    def _start(self, labels: Labels) -> None:
        """Open the files that labels of this shape need."""
        columns = labels.values.shape[1] if labels.values.ndim == 2 else None
        self.writers[LABELS] = _Writer(self.folder, LABELS, labels.values.dtype, columns)
        if labels.offsets is not None:
            self.writers[ITEMS] = _Writer(self.folder, ITEMS, np.int64)
            self.writers[ITEMS].add([0])
        if labels.places is not None:
            self.writers[PLACES] = _Writer(self.folder, PLACES, np.int32)
        if labels.words is not None:
            self.writers[WORDS] = _Writer(self.folder, WORDS, np.uint64)
        if labels.characters is not None:
            self.writers[CHARACTERS] = _Writer(self.folder, CHARACTERS, np.int32, 2)


def open_tokens(
    cache: SharedCache, name: str, parts: JsonObject, rows: Callable[[], Rows], *, vocab_size: int,
    input: RowInput, target: RowTarget | None = None, folder: str = "tokens",
) -> TokenSplit:  # fmt: skip
    """Open a split in the store, building it first if it is missing or damaged.

    name: of the split; parts: what the content depends on (fingerprints of source and tokenizer, max_length), hashed to
    name the folder; rows: called only if the store must be built; input, target: of the returned split; folder: the
    part of the cache.
    """
    text = json.dumps(parts | {"format": FORMAT}, sort_keys=True)
    path = cache.folder / folder / hashlib.sha256(text.encode()).hexdigest()[:20]
    return cache.open_or_build(
        path,
        lambda found: _open(found, name, input, target),
        lambda part: _build(part, rows(), np.uint16 if vocab_size <= 1 << 16 else np.uint32),
        damaged=f"the token store {path} is damaged; making it again",
    )


def _build(folder: Path, rows: Rows, dtype: DTypeLike) -> None:
    """Write the rows into a folder, chunk by chunk."""
    tokens, offsets = None, _Writer(folder, "offsets", np.int64)
    starts, labels = _Writer(folder, SEGMENT_STARTS, np.int32), _LabelWriter(folder)
    end = truncated = 0
    offsets.add([0])
    for encoded, chunk_labels in rows:
        labels.add(chunk_labels)
        tokens = tokens or _token_writer(folder, encoded.tokens, dtype)
        tokens.add(encoded.tokens)
        offsets.add(end + np.cumsum(encoded.lengths))
        starts.add(encoded.segment_starts)
        end += len(encoded.tokens)
        truncated += encoded.truncated
    assert tokens is not None, "a split has rows; loaders refuse empty ones"
    files = {writer.name: writer.close() for writer in (tokens, offsets, starts, *labels.writers.values())}
    meta = {"format": FORMAT, "truncated": truncated, "files": files}
    (folder / "meta.json").write_text(json.dumps(meta, indent=2), encoding="utf-8")


def _token_writer(folder: Path, first: np.ndarray, dtype: DTypeLike) -> _Writer:
    """Return a writer for tokens like `first`: ids are stored as `dtype`, audio frames in their own dtype."""
    columns = first.shape[1] if first.ndim == 2 else None
    return _Writer(folder, "tokens", dtype if columns is None else first.dtype, columns)


def _open(path: Path, name: str, input: RowInput, target: RowTarget | None) -> TokenSplit | None:
    """Open the stored split; None if a file is missing or its checksum is wrong."""
    try:
        meta = json.loads((path / "meta.json").read_text(encoding="utf-8"))
        arrays: dict[str, Any] = {}
        for part, facts in meta["files"].items():
            if checksum(path / part) != facts["sha256"]:
                return None
            found = np.memmap(path / part, dtype=np.dtype(facts["dtype"]), mode="r")
            arrays[part] = found.reshape(-1, facts["columns"]) if "columns" in facts else found
    except (OSError, ValueError, KeyError):
        return None
    starts = arrays.pop(SEGMENT_STARTS)
    labels = Labels(arrays.pop(LABELS), *(arrays.pop(part, None) for part in (ITEMS, PLACES, WORDS, CHARACTERS)))
    return TokenSplit(
        name=name, truncated=meta["truncated"], segment_starts=starts, labels=labels, input=input, target=target,
        **arrays,
    )  # fmt: skip
