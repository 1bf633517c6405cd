"""How to read a file: its columns, encoding, delimiter and quoting; shared by training and predicting.

Standard library only, since checking any command imports this module.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from data.errors import DataError
from data.json_types import JsonObject
from data.sources.columns import Sample, refuse_rule_as_column, require_columns

FORMATS = {
    ".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl", ".parquet": "parquet",
}  # fmt: skip
SUFFIXES = f"{', '.join(FORMATS)}, also with .gz"
PACKED = (".zip", ".zst", ".xz", ".bz2", ".7z", ".tar", ".tgz")
# Suffixes of files that hold a table but cannot be read, and the cure.
UNREAD = dict.fromkeys((".xlsx", ".xls", ".ods"), "Save the sheet as CSV") | dict.fromkeys(PACKED, "Unpack it")
Row = tuple[int, JsonObject]  # the row's number (a line, or a row in formats without lines) and its values by column


def suffix_of(path: Path) -> str:
    """Return the suffix that determines the format: .csv for both d.csv and D.CSV.GZ."""
    return Path(path.name.lower().removesuffix(".gz")).suffix


def format_of(path: Path) -> str | None:
    """Return csv, tsv, jsonl or parquet by a file's suffix; None for any other suffix."""
    return FORMATS.get(suffix_of(path))


def ineffective_options(formats: Iterable[str], values: Mapping[str, str], prefix: str = "") -> list[str]:
    """Return one line for each option that has no effect on files of these formats.

    values: of encoding, delimiter and quoting; prefix: of their names in messages.
    """
    here, delimited = set(formats), {"csv", "tsv"}
    useful = {"encoding": ("utf-8", here - {"parquet"}), "delimiter": ("auto", here & delimited),
              "quoting": ("auto", here & delimited)}  # fmt: skip
    return [
        f"{prefix}{name}={values[name]} has no effect on {' and '.join(sorted(here))}. Leave it out, or try: "
        f"{prefix}{name}={default}"
        for name, (default, used) in useful.items()
        if values[name] != default and not used
    ]


def _silent(_note: str) -> None:
    """Discard the note."""


@dataclass(frozen=True)
class ReadOptions:
    """The columns to read and how the file is written."""

    columns: Mapping[str, str | None]  # by setting: text, text_pair, label, group; None: not used
    encoding: str = "utf-8"
    delimiter: str = "auto"  # auto, tab, or a character
    quoting: str = "auto"  # auto | minimal | none
    prefix: str = ""  # of the settings' names in messages: "data." in training
    only_wanted: bool = False  # leave the other columns out of the rows
    takes_words: bool = False  # accept a list of words instead of a text
    group_rule: str | None = None  # the rule that data.group names instead of a column
    note: Callable[[str], None] = _silent  # called with notes for the user

    @property
    def text(self) -> str:
        """The column of the setting `text`; without one, the first column."""
        return self.columns.get("text") or next(iter(self.columns.values()), None) or ""

    @property
    def wanted(self) -> dict[str, str]:
        """The columns that must exist, by the setting's name as the user writes it."""
        return {self.key(name): column for name, column in self.columns.items() if column is not None}

    def require_columns(self, names: Sequence[str], where: str, sample: Sample, delimiter: str = "") -> None:
        """Raise DataError for a table that lacks a wanted column, or has a column named like the rule in use.

        The arguments are those of `data.sources.columns.require_columns`.
        """
        refuse_rule_as_column(self.group_rule, names, where)
        require_columns(names, self.wanted, where, sample, delimiter)

    def keeps(self, column: str) -> bool:
        """Return whether rows include this column."""
        return not self.only_wanted or column in self.columns.values()

    @property
    def codec(self) -> str:
        """The encoding for Python; UTF-8 may have a byte order mark. Raises DataError for an unknown one."""
        try:
            "".encode(self.encoding)
        except LookupError as error:
            key = self.key("encoding")
            raise DataError(f"{key}={self.encoding}: there is no such encoding. Try: {key}=utf-8") from error
        return "utf-8-sig" if self.encoding.lower().replace("_", "-") in ("utf-8", "utf8") else self.encoding

    def key(self, name: str) -> str:
        """Return a setting's name as the user writes it."""
        return f"{self.prefix}{name}"
