"""Sources of sounds before decoding: a column of a hub dataset, or files named in a local table.

Files must be in the folder of the table that names them, or below it; no file outside is opened.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from data.errors import DataError, MissingColumn
from data.inputs.sound import SOUND
from data.quoting import shell_setting
from data.settings import DataSettings, of_split
from data.sources.cells import as_text, label_cell
from data.sources.files import read_options
from data.sources.formats import read_rows
from data.sources.hub import hub_labels, load_hub_split, require_hub_columns
from data.sources.hub_splits import hub_splits
from data.sources.local_files import split_files
from data.sources.options import ReadOptions, format_of
from data.sources.raw import BESIDE, columns_beside
from data.sources.sound_split import NAME
from data.stores.build_once import SharedCache
from data.targets.label_column import LabelColumn, no_labels_error
from data.targets.label_set import find_lists

if TYPE_CHECKING:
    import pyarrow as pa
    from datasets import Dataset

BATCH_BYTES = 1 << 24  # of a batch in the cached table
Row = dict[str, bytes | str | None]  # of the table: values by column name
Cell = bytes | Path | None


@dataclass(frozen=True)
class SoundTable:
    """The sounds of a split, not yet decoded."""

    table: pa.Table  # `sound` (bytes), `_name`, and the columns of BESIDE that the settings name
    digests: np.ndarray  # (rows, 32) uint8: sha256 of each file
    numbers: np.ndarray  # (rows,) row numbers in the source
    where: str  # for messages
    labels: Callable[[np.ndarray], LabelColumn]  # returns the labels of the given rows

    @property
    def names(self) -> list[str]:
        """The name of each file, for messages."""
        found: list[str] = self.table[NAME].to_pylist()
        return found

    def contents(self) -> Iterator[bytes | None]:
        """Yield the content of each file."""
        return (cell.as_py() for chunk in self.table[SOUND].chunks for cell in chunk)


# --- the hub


def hub_tables(settings: DataSettings) -> dict[str, SoundTable]:
    """Return the splits of a hub dataset, by their purpose; DataError for a column that holds no sounds."""
    found = {}
    for name, split in hub_splits(settings).items():
        dataset, where = load_hub_split(settings, split), f"{settings.id} {split}"
        own = of_split(settings, name)
        require_hub_columns(own, {"audio": own.audio, "label": own.label}, dataset.column_names, where)
        found[name] = _of_dataset(dataset, own, where)
    return found


def _of_dataset(dataset: Dataset, settings: DataSettings, where: str) -> SoundTable:
    """Return the undecoded sounds of one split from its Arrow file; the library would decode them with torchcodec."""
    import datasets
    import pyarrow as pa

    assert settings.audio is not None
    if isinstance(dataset.features[settings.audio], datasets.Audio):
        dataset = dataset.cast_column(settings.audio, datasets.Audio(decode=False))
    column, names = dataset.data.table[settings.audio], None
    if pa.types.is_struct(column.type) and {"bytes", "path"} <= {field.name for field in column.type}:
        parts = [dict(zip([field.name for field in column.type], chunk.flatten())) for chunk in column.chunks]
        column = pa.chunked_array([part["bytes"] for part in parts])
        names = [Path(path).name if path else None for part in parts for path in part["path"].to_pylist()]
    if not (pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type)):
        sounds = [name for name, feature in dataset.features.items() if isinstance(feature, datasets.Audio)]
        cure = shell_setting("data.audio", sounds[0]) if sounds else "data.audio=null, to read texts"
        raise DataError(f"{where}: the column {settings.audio!r} holds {column.type}, not sounds. Try: {cure}")
    named = [name or f"sound {number}" for number, name in enumerate(names or [None] * len(column), 1)]
    beside = columns_beside(settings.group, settings.fold_column)
    table = pa.table({SOUND: column, NAME: named} | {name: dataset.data.table[key] for name, key in beside.items()})

    def labels(rows: np.ndarray) -> LabelColumn:
        return hub_labels(dataset, rows, settings, where)

    empty = SoundTable(table, np.zeros((0, 32), np.uint8), np.arange(1, len(table) + 1), where, labels)
    digests = b"".join(hashlib.sha256(content or b"").digest() for content in empty.contents())
    return SoundTable(table, np.frombuffer(digests, np.uint8).reshape(-1, 32), empty.numbers, where, labels)


# --- local files


def file_tables(settings: DataSettings, cache: SharedCache, notes: list[str]) -> dict[str, SoundTable]:
    """Return the splits that have files, by their purpose; DataError for tables that cannot be read this way."""
    found = {}
    for name, path in split_files(settings).items():
        cache.tell(f"reading {path.name}")
        own = of_split(settings, name)
        options = read_options(own, {"audio": own.audio, "label": own.label}, notes)
        try:
            found[name] = _of_file(path, own, options, cache)
        except MissingColumn as error:
            if error.key != "label" or name == "train":
                raise
            raise no_labels_error(settings, name, str(path)) from error
    return found


def named_files(settings: DataSettings) -> list[Path]:
    """Return the sound files that the local tables name; none of a table that cannot be read."""
    texts = settings.train_path or settings.path, settings.val_path, settings.test_path
    found: list[Path] = []
    for path in (Path(text).expanduser().absolute() for text in texts if text):
        with suppress(DataError, OSError):
            how = settings.encoding, settings.delimiter, settings.quoting
            found += _named_in(path, path.stat().st_mtime_ns, settings.audio or "", *how)
    return [path for path in found if _is_file(path)]


@lru_cache
def _named_in(path: Path, changed: int, column: str, encoding: str, delimiter: str, quoting: str) -> list[Path]:
    """Return the paths in a column of a table; changed: its modification time, so that a changed file is read again."""
    options = ReadOptions({"audio": column}, encoding, delimiter, quoting, prefix="data.", only_wanted=True)
    cells = [_cell(row.get(column), path.parent, "") for _, row in read_rows(path, format_of(path) or "", options)]
    return [cell for cell in cells if isinstance(cell, Path)]


def _of_file(path: Path, settings: DataSettings, options: ReadOptions, cache: SharedCache) -> SoundTable:
    """Return the sounds that a table names, or contains (Parquet); they are copied into the cache once."""
    import pyarrow as pa

    numbers, cells, labels, beside = list[int](), list[Cell](), list[str | list[str]](), list[dict[str, str]]()
    columns = columns_beside(settings.group, settings.fold_column)
    for number, row in read_rows(path, format_of(path) or "", options):
        where = f"{path} row {number}"
        numbers.append(number)
        cells.append(_cell(row.get(settings.audio or ""), path.parent, where))
        label = None if settings.label is None else row.get(settings.label)
        labels.append(label_cell(label, where))
        given = {name: "" if row.get(key) is None else row[key] for name, key in columns.items()}
        beside.append({name: as_text(cell, where, f"data.{name}").strip() for name, cell in given.items()})
    if not numbers:
        raise DataError(f"{path} has a header but no usable row. Try: data.path=<a file with rows>")
    if not any(isinstance(cell, bytes) or (cell and _is_file(cell)) for cell in cells):
        raise DataError(_no_files(path, settings, options))
    table = pa.ipc.open_file(pa.memory_map(str(_copied(path, cells, beside, settings, cache)))).read_all()

    def chosen(rows: np.ndarray) -> LabelColumn:
        column = LabelColumn()
        for row in rows.tolist():
            column.add(labels[row], numbers[row])
        find_lists(column, settings)
        return column

    digests = np.frombuffer(b"".join(table["digest"].to_pylist()), np.uint8).reshape(-1, 32)
    return SoundTable(table.drop_columns("digest"), digests, np.array(numbers), str(path), chosen)


def _cell(value: object, folder: Path, where: str) -> Cell:
    """Return the sound that a cell names or contains; DataError for a path outside the folder of the table."""
    if isinstance(value, dict) and isinstance(value.get("bytes"), bytes):
        value = value["bytes"]  # as `datasets` writes sounds into Parquet
    if isinstance(value, bytes):
        return value
    text = "" if value is None else as_text(value, where, "data.audio").strip()
    if not text:
        return None
    try:
        path = (folder / text).resolve()
    except (ValueError, OSError):  # a zero byte, or a name that is too long
        return None
    if not path.is_relative_to(folder.resolve()):
        raise DataError(
            f"{where} names {text!r}, which is outside {folder.resolve()}, the folder of the table. "
            "Try: the table in a folder that holds all sounds"
        )
    return path


def _copied(
    path: Path, cells: Sequence[Cell], beside: Sequence[dict[str, str]], settings: DataSettings, cache: SharedCache
) -> Path:
    """Return an Arrow file with the sounds; it is written unless it exists for these files in their current state."""
    import pyarrow as pa

    stats = [[str(cell), *_stat(cell)] if isinstance(cell, Path) else [] for cell in cells]
    own = hashlib.sha256(path.read_bytes()).hexdigest()
    spelling = [format_of(path), settings.encoding, settings.delimiter, settings.quoting]
    parts = [own, *spelling, settings.audio, settings.group, settings.fold_column, settings.max_mb, stats]
    folder = cache.folder / "tables"
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:20]}.arrow"
    names = [name for name in BESIDE if beside and name in beside[0]]
    kinds = [(SOUND, pa.large_binary()), ("digest", pa.binary(32)), (NAME, pa.string())]
    schema = pa.schema([*kinds, *((name, pa.string()) for name in names)])
    with cache.locked(target.with_suffix(".lock")), ExitStack() as stack:
        if target.exists():
            return target
        part = target.with_suffix(".part")
        stack.callback(part.unlink, missing_ok=True)
        with pa.OSFile(str(part), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
            for rows in _batches(cells, beside, settings.max_mb):
                writer.write_batch(pa.RecordBatch.from_pylist(rows, schema=schema))
        part.replace(target)
    return target


def _stat(path: Path) -> tuple[int, int]:
    """Return size and modification time of a file; 0 and 0 if it does not exist."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_size, found.st_mtime_ns


def _batches(cells: Sequence[Cell], beside: Sequence[dict[str, str]], max_mb: float) -> Iterator[list[Row]]:
    """Yield the rows of the table in batches of some megabytes."""
    rows, size = list[Row](), 0
    for number, (cell, more) in enumerate(zip(cells, beside), 1):
        name = cell.name if isinstance(cell, Path) else f"sound {number}"
        content = _content(cell, max_mb)
        digest = hashlib.sha256(content or b"").digest()
        rows.append({SOUND: content, "digest": digest, NAME: name, **more})
        size += len(content or b"")
        if size > BATCH_BYTES:
            yield rows
            rows, size = [], 0
    if rows:
        yield rows


def _content(cell: Cell, max_mb: float) -> bytes | None:
    """Return the content of a file, up to one byte beyond the limit; None if there is no such file."""
    if not isinstance(cell, Path):
        return cell
    try:
        with cell.open("rb") as stream:
            return stream.read(int(max_mb * 1e6) + 1)
    except OSError:
        return None


def _is_file(path: Path) -> bool:
    """Is this a file? Asking raises OSError for a cell, such as a transcript, that is longer than any name."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _no_files(path: Path, settings: DataSettings, options: ReadOptions) -> str:
    """Return the message for a column that names no existing file; it suggests a column that does."""
    row = next(read_rows(path, format_of(path) or "", replace(options, only_wanted=False)))[1]
    value = str(row.get(settings.audio or ""))
    others = [name for name, cell in row.items() if isinstance(cell, str) and cell and _is_file(path.parent / cell)]
    near = difflib.get_close_matches(Path(value).name, [one.name for one in path.parent.iterdir()], n=1)
    cure = shell_setting("data.audio", others[0]) if others else "paths as seen from the folder of the table"
    said = f"; did you mean {near[0]}?" if near else ""
    return (
        f"{path}: the column {settings.audio!r} names no sound file in {path.resolve().parent} (first row: "
        f"{value[:80]!r}{said}). Try: {cure}"
    )
