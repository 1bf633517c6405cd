"""A job on another machine, or under a daemon that was started elsewhere: its relative paths are the command's."""

from __future__ import annotations

import os
import platform

from runner.errors import ConfigError


def work_in(folder: str) -> None:
    """Go to the folder the command was given in; ConfigError if this machine does not have it."""
    try:
        os.chdir(folder)
    except OSError as error:
        raise ConfigError(
            f"{platform.node()} has no folder {folder}, in which the command was given: {error.strerror}. "
            "Try: give it in a folder that all machines share"
        ) from error
