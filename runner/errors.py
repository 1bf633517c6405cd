"""The mistakes a user can make with the command itself; data and models have their own in their packages."""

from __future__ import annotations

import sys


class ConfigError(ValueError):
    """A command or config that cannot be run: the message says what was seen, what is expected and the cure."""


def user_errors() -> tuple[type[Exception], ...]:
    """Every exception that is the user's to mend: printed as one message with exit code 2, never a traceback."""
    from data.errors import DataError
    from models.errors import ModelError

    return (ConfigError, DataError, ModelError)


def unreadable(error: OSError) -> list[str]:
    """What a path that cannot be used at all is told as: too long, not permitted, on a disk that is gone."""
    where = f"{error.filename}: " if error.filename else ""
    return [f"{where}{error.strerror or error}. Try another path, or mend that one"]


def refuse(problems: list[str]) -> int:
    """Print the user's mistakes and answer the exit code for them."""
    from runner.harmless import say

    if len(problems) == 1:
        say(f"run: {problems[0]}", sys.stderr)
    else:
        say(f"run: {len(problems)} mistakes", sys.stderr)
        for number, problem in enumerate(problems, 1):
            say(f"  {number}. {problem}", sys.stderr)
    return 2
