"""What one is asked to read from a file, and how its bytes are to be understood; training and predicting share it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Row = tuple[int, dict[str, Any]]  # the number of a line, or of a row where there are no lines; the values by column


def _silent(_note: str) -> None:
    pass


@dataclass(frozen=True)
class Options:
    """The columns and the spelling of a file."""

    text: str
    text_pair: str | None = None
    label: str | None = None
    encoding: str = "utf-8"
    delimiter: str = "auto"  # auto, tab, or a character
    quoting: str = "auto"  # auto | minimal | none
    prefix: str = ""  # of the settings' names in messages: "data." in training
    only_wanted: bool = False  # may the other columns be left out of the rows?
    note: Callable[[str], None] = _silent  # is told what a person should know

    @property
    def wanted(self) -> dict[str, str]:
        """The columns that must be there, by the settings that name them."""
        named = {"text": self.text, "text_pair": self.text_pair, "label": self.label}
        return {self.key(key): column for key, column in named.items() if column is not None}

    @property
    def codec(self) -> str:
        """The encoding; UTF-8 with or without a byte order mark."""
        return "utf-8-sig" if self.encoding.lower().replace("_", "-") in ("utf-8", "utf8") else self.encoding

    def key(self, name: str) -> str:
        """A setting as the user calls it."""
        return f"{self.prefix}{name}"
