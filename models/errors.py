"""The error for everything a user can get wrong about models."""

from __future__ import annotations


class ModelError(ValueError):
    """A model that cannot be built or loaded as asked: the message says why and how to go on."""


def check_option(is_good: bool, option: str, value: object, expected: str, cure: object) -> None:
    """Raise ModelError unless `is_good`. option: the full key of a part's option; cure: a value that would do."""
    if not is_good:
        raise ModelError(f"{option}={value}: expected {expected}. Try: {option}={cure}")
