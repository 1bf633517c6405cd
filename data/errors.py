"""Errors that a user can fix; each message says how."""

from __future__ import annotations

import errno

from data.json_types import JsonObject

FULL = (errno.ENOSPC, errno.EDQUOT)  # errors of a full disk
REFUSED = (errno.EROFS, errno.EACCES, errno.EPERM)  # errors of a file or folder that may not be written


class DataError(ValueError):
    """Data that cannot be used as asked; the message says what was found, what is expected and how to fix it."""


class CutTooSmall(DataError):
    """With the current settings, a split that has every class cannot be cut off the training rows.

    cure: settings of `data` with which it can; {} if no share of the rows is enough.
    """

    def __init__(self, message: str, cure: JsonObject) -> None:
        super().__init__(message)
        self.cure = cure


class MissingColumn(DataError):
    """A column that the settings name but the data lack; `key` is the setting: text, text_pair or label."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key
