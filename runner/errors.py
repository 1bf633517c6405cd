"""The mistakes a user can make with a command; those about data and models are defined in their packages."""

from __future__ import annotations

import errno
import os
import re
import shutil
import sys

from data.errors import FULL, REFUSED, DataError
from models.errors import ModelError
from runner.sanitize import say

# Errors of a full or read-only file system: the user can fix them, they are not bugs.
DISK = (*FULL, errno.EFBIG, *REFUSED)
PART_WRITTEN = r"\d+ requested and \d+ written"  # numpy's words for a full disk
CLOSED_PIPE = 141  # the exit code where the reader of the output has closed the pipe


class ConfigError(ValueError):
    """A command or config that cannot be run: the message says what was seen, what is expected and the cure."""


# Errors that the user can fix: printed as one message with exit code 2, never as a traceback.
USER_ERRORS = (ConfigError, DataError, ModelError)


def as_user_error(error: OSError) -> ConfigError:
    """Return the user's error for a full or write-protected disk; raise any other error again."""
    found = _first(error)
    if found.errno not in DISK:
        raise error
    where = f" ({place})" if (place := _place(found)) else ""
    return ConfigError(
        f"{found.strerror}{where}. Free some space or allow writing there, and the same command goes on; or try: "
        "paths.output=<another folder> paths.cache=<another folder>"
    )


def full_disk(reason: str) -> ConfigError | None:
    """Return the user's error where the reason for which a run failed, in words, is a full disk; else None."""
    is_cut = re.search(PART_WRITTEN, reason) is not None
    code = next((code for code in FULL if os.strerror(code) in reason), errno.ENOSPC if is_cut else None)
    return None if code is None else as_user_error(OSError(code, os.strerror(code)))


def unreadable(error: OSError) -> list[str]:
    """Return the message about a path that cannot be used: too long, not permitted, or on a disk that is full or no
    longer there.
    """
    found = _first(error)
    where = f"{place}: " if (place := _place(found)) else ""
    cure = "Free some space, or try another path" if found.errno in FULL else "Try another path, or fix that one"
    return [f"{where}{found.strerror or found}. {cure}"]


def unusable_folder(error: OSError) -> list[str]:
    """Return the message about a folder that cannot be made or written; raise any other error again."""
    if isinstance(error, FileExistsError | FileNotFoundError | NotADirectoryError):
        return unreadable(error)
    return [str(as_user_error(error))]


def _first(error: OSError) -> OSError:
    """Return the error itself, or the first of those that copying a folder has collected as texts.

    numpy gives an array of which a full disk took only a part no error number.
    """
    if re.fullmatch(PART_WRITTEN, str(error)):
        return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if not isinstance(error, shutil.Error) or not isinstance(error.args[0], list):
        return error
    source, target, text = error.args[0][0]
    said = re.match(r"\[Errno (\d+)\] ([^:]+)", str(text))
    return OSError(int(said[1]), said[2], str(source), None, str(target)) if said else error


def _place(error: OSError) -> str:
    """Return the path that an error names, "" for none; of two, as in copying, the one that is written."""
    place = error.filename2 or error.filename
    return str(place) if place else ""


def refuse(problems: list[str]) -> int:
    """Print the user's mistakes on standard error and return the exit code for them."""
    if len(problems) == 1:
        say(f"run: {problems[0]}", sys.stderr)
    else:
        say(f"run: {len(problems)} mistakes", sys.stderr)
        for number, problem in enumerate(problems, 1):
            say(f"  {number}. {problem}", sys.stderr)
    return 2
