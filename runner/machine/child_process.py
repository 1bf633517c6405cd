"""A job in another process, on another machine or under a daemon: the same code, and the command's relative paths."""

from __future__ import annotations

import os
import platform
import sysconfig
from pathlib import Path

from runner.errors import ConfigError

ROOT = Path(__file__).resolve().parents[2]


def importable() -> dict[str, str]:
    """The environment in which a Python process imports this very code, whatever folder it is started in."""
    if str(ROOT) in (sysconfig.get_path("purelib"), sysconfig.get_path("platlib")):
        return dict(os.environ)
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))}


def work_in(folder: str) -> None:
    """Go to the folder the command was given in; ConfigError if this machine does not have it."""
    try:
        os.chdir(folder)
    except OSError as error:
        raise ConfigError(
            f"{platform.node()} has no folder {folder}, in which the command was given: {error.strerror}. "
            "Try: give it in a folder that all machines share"
        ) from error
