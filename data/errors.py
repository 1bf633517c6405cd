"""What a user can get wrong about data."""

from __future__ import annotations


class DataError(ValueError):
    """Data that cannot be used as asked: the message says what was found, what is expected and the cure."""


class MissingColumn(DataError):
    """A column that the settings name and the data lack; `key` is the setting: text, text_pair or label."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key
