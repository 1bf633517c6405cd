"""What a user can get wrong about data."""

from __future__ import annotations


class DataError(ValueError):
    """Data that cannot be used as asked: the message says what was found, what is expected and the cure."""
