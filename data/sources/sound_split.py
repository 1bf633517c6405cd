"""A split of sounds; each row is the content of a file. Few are read at a time, since a file may have megabytes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from data.inputs.columns import Columns
from data.inputs.sound import SOUND
from data.labels import Labels
from data.sources.raw import RawSplit
from data.sources.take_rows import take_rows

NAME = "_name"  # the column with the file names, which no model reads
CHUNK = 32  # sounds in memory at a time


def _none() -> np.ndarray:
    """Return an empty array, as default of fields that follow others with defaults."""
    return np.zeros(0, np.uint64)


@dataclass
class SoundSplit(RawSplit):
    """A split of sounds; rows are equal if their files have the same bytes, or their sounds the same samples."""

    holds_texts: ClassVar[bool] = False
    unit: ClassVar[str] = "sounds"
    digests: np.ndarray = field(default_factory=_none)  # (rows of the table, 32) uint8: sha256 of each file
    samples: np.ndarray = field(default_factory=_none)  # (rows of the table,) uint64: hashes of the samples read
    seconds: np.ndarray = field(default_factory=_none)  # (rows of the table,) float64: of the whole files

    def read(self, rows: np.ndarray) -> Columns:
        """Return the file contents of the sounds with these numbers."""
        column = self.table[SOUND]  # cell by cell: `take` would join chunks, which may have gigabytes
        return {SOUND: [column[row].as_py() for row in self.rows[rows].tolist()]}

    def shown(self, rows: np.ndarray) -> Columns:
        """Return the file names of the sounds with these numbers."""
        return {SOUND: take_rows(self.table.select([NAME]), self.rows[rows])[NAME].to_pylist()}

    def chunks(self) -> Iterator[tuple[Columns, Labels]]:
        """Yield the sounds and their labels, CHUNK rows at a time."""
        for start in range(0, len(self.rows), CHUNK):
            chosen = np.arange(start, min(start + CHUNK, len(self.rows)))
            yield self.read(chosen), self.labels.take(chosen)

    def own_hashes(self, *, exact: bool) -> np.ndarray:
        """Return the hashes of the files (exact) or of the samples, (rows,) uint64."""
        files = np.ascontiguousarray(self.digests[:, :8]).view(np.uint64)[:, 0]
        return np.asarray((files if exact else self.samples)[self.rows])

    def row_seconds(self) -> np.ndarray:
        """Return the length of each sound, (rows,) seconds."""
        return np.asarray(self.seconds[self.rows])

    def fingerprint(self) -> str:
        """Return the sha256 of the file hashes and labels in use, in order; decoded samples of Ogg may vary."""
        digest = hashlib.sha256(np.ascontiguousarray(self.digests[self.rows]).tobytes())
        digest.update(np.ascontiguousarray(self.labels.values).tobytes())
        if self.labels.offsets is not None:
            digest.update(np.ascontiguousarray(self.labels.offsets).tobytes())
        return digest.hexdigest()
