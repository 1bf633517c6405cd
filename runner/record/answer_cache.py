"""Caches the stored answers of many runs in one file, so that a comparison of thousands of runs opens one file.

    cache = AnswerCache(Path("outputs"))
    read_predictions(folder, "test", record, cache)     # the same as from the run's own file
    cache.write()                                       # for the next comparison

An entry is valid while its file has the size, the times and the inode number that it had when it was read. The cache
may be removed at any time; if it is damaged or cannot be written, the runs' own files are read.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cached_property, lru_cache
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy as np

Columns: TypeAlias = "tuple[dict[str, np.ndarray], np.ndarray | None]"  # columns by name; where each unit's items begin
ReadFile: TypeAlias = "Callable[[Path, tuple[str, ...]], Columns | None]"
Stamp = tuple[int, int, int, int]  # of a file: bytes, modification and status-change times (ns), inode number
Piece = tuple[str, str, str, bytes]  # of a column: its name, its type, the type it is kept in, its bytes
Place = tuple[str, str, str, int, int]  # the same with where the bytes begin and how many there are

NAME = ".answers"
VERSION = 1
WORTH = 100  # fewest files worth caching: to read that many again takes a twentieth of a second
LARGEST = 256 * 2**20  # bytes: 10,000 runs with 25,000 rows of up to 256 classes
SETTLED_NS = 2 * 10**9  # s, the coarsest clock of a file system: a younger file may change without a new time stamp
NUMBERS = "?bBhHiIlLqQefd"  # the characters of the types that are kept
OFFSETS = ""  # stands for a column's name
DAMAGED = (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError, MemoryError, OSError)


class AnswerCache:
    """The answers of the runs in one output folder; its file is opened at first use."""

    def __init__(self, output: Path) -> None:
        self._output = output
        self._fresh: dict[str, tuple[Stamp, list[Piece]]] = {}
        self._fresh_bytes = 0
        # The labels are the same for all runs, and the baseline's answers are asked for by every group.
        self._array = lru_cache(maxsize=64)(self._kept_array)
        self._read = lru_cache(maxsize=64)(self._from_file)

    def read(self, path: Path, names: tuple[str, ...], read_file: ReadFile) -> Columns | None:
        """Return the named columns of a run's file: from the cache while the file is unchanged, else by `read_file`."""
        if (stamp := stamp_of(path)) is None:
            return None
        folder, name = str(path).rsplit(os.sep, 2)[-2:]  # takes a third of the time of Path's own properties
        key = f"{','.join(names)}/{folder}/{name}"
        kept = self._file.entries.get(key)
        if kept and kept[0] == stamp:
            with suppress(*DAMAGED):
                return self._columns(kept[1])
        return self._read(key, path, names, stamp, read_file)

    def write(self) -> None:
        """Write what was read from files into the cache, if that is worthwhile and the folder allows it."""
        if len(self._fresh) >= WORTH:
            with suppress(OSError):
                write_kept(self._output, self._all())

    def _from_file(
        self, key: str, path: Path, names: tuple[str, ...], stamp: Stamp, read_file: ReadFile
    ) -> Columns | None:  # fmt: skip
        """Read a file and remember its columns for `write`."""
        is_settled = time.time_ns() - max(stamp[1:3]) > SETTLED_NS
        found = read_file(path, names)
        if found and is_settled and self._fresh_bytes < LARGEST and (pieces := pieces_of(found)):
            self._fresh[key] = stamp, pieces
            self._fresh_bytes += sum(len(data) for *_, data in pieces)
        return found

    @cached_property
    def _file(self) -> KeptFile:
        return KeptFile(self._output / NAME)

    def _columns(self, places: list[Place]) -> Columns:
        columns = {name: self._array(*place) for name, *place in places}
        offsets = columns.pop(OFFSETS, None)
        if len({len(column) for column in columns.values()}) != 1:
            raise ValueError("the columns differ in length")
        return columns, offsets

    def _kept_array(self, dtype: str, small: str, begin: int, size: int) -> np.ndarray:
        import numpy as np

        if np.dtype(dtype).char not in NUMBERS:
            raise ValueError(f"{dtype} is not a type of numbers")
        return np.frombuffer(self._file.data(begin, size), small).astype(dtype)

    def _all(self) -> Iterator[tuple[str, Stamp, list[Piece]]]:
        """Yield the cached entries whose files are unchanged, then those that were read from files."""
        for key, (stamp, places) in self._file.entries.items():
            if key not in self._fresh and stamp_of(self._output / key.partition("/")[2]) == stamp:
                with suppress(*DAMAGED):
                    yield key, stamp, [(*found[:3], self._file.data(*found[3:])) for found in places]
        for key, (stamp, pieces) in self._fresh.items():
            yield key, stamp, pieces


class KeptFile:
    """The file of a cache: 8 bytes with the length of a header, the header, the columns of all entries."""

    def __init__(self, path: Path) -> None:
        self.entries: dict[str, tuple[Stamp, list[Place]]] = {}
        try:
            self._stream = FileIO(path)
            head = int.from_bytes(self._stream.read(8), "big")
            content = json.loads(self._stream.read(min(head, os.fstat(self._stream.fileno()).st_size)))
            if content["version"] == VERSION:
                self.entries = {key: (tuple(stamp), places) for key, (stamp, places) in content["entries"].items()}
        except DAMAGED:
            return
        self._start = 8 + head

    def data(self, begin: int, size: int) -> bytes:
        """Read some bytes of the columns; raise ValueError if the file has fewer."""
        self._stream.seek(self._start + begin)
        found = self._stream.read(size)
        if len(found) != size:
            raise ValueError("the file is cut off")
        return found


def write_kept(output: Path, entries: Iterator[tuple[str, Stamp, list[Piece]]]) -> None:
    """Write the file of a cache completely or not at all, with equal columns, such as labels, stored once."""
    data, places, kept = bytearray(), dict[bytes, int](), dict[str, tuple[Stamp, list[Place]]]()
    for key, stamp, pieces in entries:
        if len(data) > LARGEST:
            break
        kept[key] = stamp, []
        for name, dtype, small, column in pieces:
            begin = places.setdefault(hashlib.sha256(column).digest(), len(data))
            if begin == len(data):
                data += column
            kept[key][1].append((name, dtype, small, begin, len(column)))
    header = json.dumps({"version": VERSION, "entries": kept}).encode()
    for left in output.glob(f"{NAME}.*.part"):  # left by a process that was killed; one that is still writing gives up
        left.unlink(missing_ok=True)
    part = output / f"{NAME}.{os.getpid()}.part"
    try:
        with part.open("wb") as stream:
            for content in (len(header).to_bytes(8, "big"), header, data):
                stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(output / NAME)
    finally:
        part.unlink(missing_ok=True)


def stamp_of(path: Path) -> Stamp | None:
    """Return a stamp that changes with the content of a file; None if there is no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino


def pieces_of(columns: Columns) -> list[Piece]:
    """Return the columns as bytes, whole numbers in the smallest type; [] if one does not hold numbers."""
    import numpy as np

    named = columns[0] if columns[1] is None else columns[0] | {OFFSETS: columns[1]}
    if any(column.dtype.char not in NUMBERS for column in named.values()):
        return []
    pieces = []
    for name, column in named.items():
        small = column.dtype
        if np.issubdtype(small, np.integer) and len(column):
            small = np.result_type(np.min_scalar_type(column.min()), np.min_scalar_type(column.max()))
        pieces.append((name, column.dtype.str, small.str, column.astype(small).tobytes()))
    return pieces
