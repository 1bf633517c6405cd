"""What one is asked to read from a file, and how its bytes are to be understood; training and predicting share it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Row = tuple[int, dict[str, Any]]  # the number of a line, or of a row where there are no lines; the values by column


def _silent(_note: str) -> None:
    pass


@dataclass(frozen=True)
class Options:
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
        """The encoding; UTF-8 with or without a byte order mark."""
        return "utf-8-sig" if self.encoding.lower().replace("_", "-") in ("utf-8", "utf8") else self.encoding

    def key(self, name: str) -> str:
        """A setting as the user calls it."""
        return f"{self.prefix}{name}"
