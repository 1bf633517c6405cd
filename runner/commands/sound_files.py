"""The words of `run predict` for a model that reads sounds: files, a table of their paths, or a sound piped in."""

from __future__ import annotations

import difflib
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from data.sources.options import format_of, suffix_of
from runner.deploy.exported import ExportedModel
from runner.deploy.streams import OF_SUFFIX, Row
from runner.errors import ConfigError

PIPED = "-"
CHUNK = 64  # sounds of a table that are in memory at a time


def table_of(words: Sequence[str], chosen: Mapping[str, str]) -> str:
    """The file with a column of paths, - for one on standard input (input= says so), or "" if words are sounds.

    Raises ConfigError for a table among other files, and for options of tables where there is none.
    """
    tables = [word for word in words if is_table(word) or (word == PIPED and chosen["input"])]
    if tables and len(words) > 1:
        raise ConfigError(f"run predict: {tables[0]} is a table of paths, and only one can be read at a time")
    if tables or not words:
        return tables[0] if tables else ""
    useless = {"text": "", "text_pair": "", "input": "", "encoding": "utf-8", "delimiter": "auto", "quoting": "auto"}
    for key, default in useless.items():
        if chosen[key] != default:
            raise ConfigError(
                f"{key}={chosen[key]} is for the rows of a table, but these are sound files. Leave {key}= out"
            )
    return ""


def is_table(word: str) -> bool:
    """Is this the name of a table, or of a text file with one path per line?"""
    return format_of(Path(word)) is not None or suffix_of(Path(word)) in OF_SUFFIX


def sound_rows(words: Sequence[str], exported: ExportedModel) -> Iterator[Row]:
    """Yield the sound files as rows.

    Raises ConfigError for one that does not exist or is a folder, before any is answered.
    """
    for word in words:
        if word != PIPED:
            check_path(word, exported.identity)
    return ({exported.columns[0]: word} for word in words)


def check_path(word: str, identity: str) -> None:
    """Raise ConfigError for a path that is not a file."""
    path, names, is_folder = Path(word).expanduser(), list[str](), False
    with suppress(OSError, ValueError):  # longer than any path, or not permitted
        if path.is_file():
            return
        is_folder = path.is_dir()
        names = [file.name for file in path.parent.iterdir()]
    if is_folder:
        raise ConfigError(
            f"{word} is a folder, but sound files are needed. "
            f"Try: run predict {identity} {shlex.quote(str(Path(word)))}/*.wav"
        )
    near = difflib.get_close_matches(path.name, names, n=1)
    cure = shlex.quote(str(Path(word).with_name(near[0]))) if near else "the path of a sound file (WAV, FLAC, Ogg, MP3)"
    raise ConfigError(f"{word}: no such file; this model reads sounds. Try: {cure}")


def read_sound(value: object, folder: Path, max_mb: float) -> Path | bytes:
    """Return a cell as a sound: a path, relative to the table's folder in a table, or the content of a pipe."""
    if value == PIPED:
        return sys.stdin.buffer.read(int(max_mb * 1e6) + 1)  # one byte more shows a file that is too large
    return folder / Path(str(value)).expanduser()
