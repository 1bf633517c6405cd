"""What is to be read of a file, and how its bytes are to be understood; training and predicting share it.

Standard library only: a command is checked with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.errors import DataError

FORMATS = {
    ".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl", ".parquet": "parquet",
}  # fmt: skip
SUFFIXES = f"{', '.join(FORMATS)}, also with .gz"
Row = tuple[int, dict[str, Any]]  # the number of a line, or of a row where there are no lines; the values by column


def suffix_of(path: Path) -> str:
    """The end of a name that tells the format: .csv of both d.csv and D.CSV.GZ."""
    return Path(path.name.lower().removesuffix(".gz")).suffix


def format_of(path: Path) -> str | None:
    """csv, tsv, jsonl or parquet by a file's name; None for any other name."""
    return FORMATS.get(suffix_of(path))


def ineffective_options(kinds: Iterable[str], values: Mapping[str, str], prefix: str = "") -> list[str]:
    """One line for each option that has no effect on files of these kinds.

    values: of encoding, delimiter and quoting; prefix: of their names.
    """
    here, delimited = set(kinds), {"csv", "tsv"}
    useful = {"encoding": ("utf-8", here - {"parquet"}), "delimiter": ("auto", here & delimited),
              "quoting": ("auto", here & delimited)}  # fmt: skip
    return [
        f"{prefix}{name}={values[name]} has no effect on {' and '.join(sorted(here))}. Leave it out, or try: "
        f"{prefix}{name}={default}"
        for name, (default, used) in useful.items()
        if values[name] != default and not used
    ]


def _silent(_note: str) -> None:
    pass


@dataclass(frozen=True)
class ReadOptions:
    """The columns and the spelling of a file."""

    columns: Mapping[str, str | None]  # by the name of the setting: text, text_pair, label; None: there is none
    encoding: str = "utf-8"
    delimiter: str = "auto"  # auto, tab, or a character
    quoting: str = "auto"  # auto | minimal | none
    prefix: str = ""  # of the settings' names in messages: "data." in training
    only_wanted: bool = False  # may the other columns be left out of the rows?
    note: Callable[[str], None] = _silent  # is told what a person should know

    @property
    def text(self) -> str:
        """The column of the text."""
        return self.columns["text"] or ""

    @property
    def wanted(self) -> dict[str, str]:
        """The columns that must be there, by their settings as the user calls them."""
        return {self.key(name): column for name, column in self.columns.items() if column is not None}

    def keeps(self, column: str) -> bool:
        """Is this column to be in the rows?"""
        return not self.only_wanted or column in self.columns.values()

    @property
    def codec(self) -> str:
        """The encoding, UTF-8 with or without a byte order mark; DataError where there is none of that name."""
        try:
            "".encode(self.encoding)
        except LookupError as error:
            key = self.key("encoding")
            raise DataError(f"{key}={self.encoding}: no such encoding. Try: {key}=utf-8") from error
        return "utf-8-sig" if self.encoding.lower().replace("_", "-") in ("utf-8", "utf8") else self.encoding

    def key(self, name: str) -> str:
        """A setting as the user calls it."""
        return f"{self.prefix}{name}"
