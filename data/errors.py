"""Errors that a user can fix: each message says how."""

from __future__ import annotations

from data.json_types import JsonObject


class DataError(ValueError):
    """Data that cannot be used as asked; the message says what was found, what is expected and how to fix it."""


class CutTooSmall(DataError):
    """Training rows of which a part that lacks no class cannot be cut off with the settings of the cuts.

    cure: settings of `data` with which it can, {} where no share of the rows does.
    """

    def __init__(self, message: str, cure: JsonObject) -> None:
        super().__init__(message)
        self.cure = cure


class MissingColumn(DataError):
    """A column that the settings name and the data do not have; `key` is the setting: text, text_pair or label."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key
