"""The error for every mistake that a user can make about models."""

from __future__ import annotations


class ModelError(ValueError):
    """A model cannot be built or loaded as requested; the message says why and what to do."""


def check_option(is_good: bool, option: str, value: object, expected: str, cure: object) -> None:
    """Raise ModelError unless `is_good`. option: the full key of a part's option; cure: a value that works."""
    if not is_good:
        raise ModelError(f"{option}={value}: expected {expected}. Try: {option}={cure}")
