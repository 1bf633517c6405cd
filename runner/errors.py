"""The mistakes a user can make with the command itself; data and models have their own in their packages."""

from __future__ import annotations

import errno
import sys

# What a disk says when it can or may not be written to: the user's to mend, not a mistake in the code.
DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM)


class ConfigError(ValueError):
    """A command or config that cannot be run: the message says what was seen, what is expected and the cure."""


def user_errors() -> tuple[type[Exception], ...]:
    """Every exception that is the user's to mend: printed as one message with exit code 2, never a traceback."""
    from data.errors import DataError
    from models.errors import ModelError

    return (ConfigError, DataError, ModelError)


def of_the_disk(error: OSError) -> ConfigError:
    """The same as the user's error if it is the disk's; any other is raised again."""
    if error.errno not in DISK:
        raise error
    where = f" ({error.filename})" if error.filename else ""
    return ConfigError(
        f"{error.strerror}{where}. Make room or give leave to write there, then the same command goes on; or try: "
        "paths.output=<another folder> paths.cache=<another folder>"
    )


def unreadable(error: OSError) -> list[str]:
    """What a path that cannot be used at all is told as: too long, not permitted, on a disk that is gone."""
    where = f"{error.filename}: " if error.filename else ""
    return [f"{where}{error.strerror or error}. Try another path, or mend that one"]


def refuse(problems: list[str]) -> int:
    """Print the user's mistakes and answer the exit code for them."""
    from runner.sanitize import say

    if len(problems) == 1:
        say(f"run: {problems[0]}", sys.stderr)
    else:
        say(f"run: {len(problems)} mistakes", sys.stderr)
        for number, problem in enumerate(problems, 1):
            say(f"  {number}. {problem}", sys.stderr)
    return 2
