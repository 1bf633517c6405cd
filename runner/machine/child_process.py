"""Start a process, here or on another machine, that has the same code and the same working folder as the command."""

from __future__ import annotations

import os
import platform
import sysconfig
from pathlib import Path

from runner.errors import ConfigError

ROOT = Path(__file__).resolve().parents[2]


def child_environment() -> dict[str, str]:
    """The environment variables with which a Python process imports this very code, in whatever folder it starts."""
    if str(ROOT) in (sysconfig.get_path("purelib"), sysconfig.get_path("platlib")):
        return dict(os.environ)
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))}


def enter_folder(folder: str) -> None:
    """Change to the folder in which the command was given; raise ConfigError if this machine does not have it."""
    try:
        os.chdir(folder)
    except OSError as error:
        raise ConfigError(
            f"{platform.node()} has no folder {folder}, in which the command was given: {error.strerror}. "
            "Try: give it in a folder that all machines share"
        ) from error
