"""Folders with YAML files of the user's own beside conf/: `--config-dir` adds choices, `--config-path` takes
precedence.

    run --config-dir ~/bertier data=tickets        # ~/bertier/data/tickets.yaml
    run -m --config-dir ~/bertier +sweep=tickets   # ~/bertier/sweeps/tickets.yaml
    run -cp ~/bertier model=dsn                    # a file there replaces ours of the same name

They are kept in environment variables, so that every process that a command starts finds the same files.
"""

from __future__ import annotations

import difflib
import os
import shlex
from importlib import resources
from pathlib import Path

from runner.errors import ConfigError

SWEEPS = "sweeps"  # beside the groups: +sweep=NAME is sweeps/NAME.yaml
BEHIND, BEFORE = "BERTIER_CONFIG_DIR", "BERTIER_CONFIG_PATH"
FLAGS = {"--config-dir": BEHIND, "-cd": BEHIND, "--config-path": BEFORE, "-cp": BEFORE}


def take_config_folders(words: list[str]) -> list[str]:
    """Return the words without the flags that name folders, which are remembered.

    Raises ConfigError for a folder that cannot be used.

    What follows `--` is text and stays as it is.
    """
    end = words.index("--") if "--" in words else len(words)
    kept: list[str] = []
    own = iter(words[:end])
    for word in own:
        flag, equals, value = word.partition("=")
        if flag not in FLAGS:
            kept.append(word)
            continue
        name = value if equals else next(own, "")
        os.environ[FLAGS[flag]] = str(_checked(flag, name))
    return kept + words[end:]


def _checked(flag: str, name: str) -> Path:
    """Return the folder, absolute.

    Raises ConfigError if it does not exist, or if none of its subfolders has the name of a group.
    """
    if not name or name.startswith("-"):
        raise ConfigError(f"{flag} needs a folder. Try: run {flag} <folder> data=<its file in data/>")
    folder = Path(os.path.expanduser(name)).absolute()  # noqa: PTH111  (an unknown user is no error here)
    if not folder.is_dir():
        near = difflib.get_close_matches(folder.name, _folders(folder.parent), n=1)
        hint = f"; did you mean {folder.parent / near[0]}?" if near else "."
        raise ConfigError(f"{flag} {name}: no such folder{hint} Try: run {flag} <folder> data=<its file in data/>")
    known = [*_folders(ours()), SWEEPS]
    there = _folders(folder)
    if not set(there) & set(known) and not (folder / "config.yaml").is_file():
        if folder.name in known:
            cure = f"Name the folder above it: run {flag} {shlex.quote(str(folder.parent))}"
        elif near := difflib.get_close_matches(" ".join(there), known, n=1):
            cure = f"Rename {there[0]} to {near[0]}"
        else:
            cure = f"A dataset's YAML is {folder / 'data'}/<name>.yaml"
        raise ConfigError(f"{flag} {name}: none of its folders has the name of a group ({', '.join(known)}). {cure}")
    return folder


def _folders(place: Path) -> list[str]:
    try:
        return sorted(path.name for path in place.iterdir() if path.is_dir() and path.name[0] not in "._")
    except OSError:
        return []


def ours() -> Path:
    """Return the folder conf/ of this installation."""
    return Path(str(resources.files("conf")))


def config_roots() -> tuple[Path, ...]:
    """Return the folders that hold groups of choices; of two files with the same name the first one counts."""
    before, behind = ([Path(os.environ[name])] if os.environ.get(name) else [] for name in (BEFORE, BEHIND))
    return (*before, ours(), *behind)


def file_of(group: str, choice: str) -> Path:
    """Return the YAML of a choice in the first root that has it; its path in conf/ if none does."""
    found = (root / group / f"{choice}.yaml" for root in config_roots())
    return next((path for path in found if path.is_file()), ours() / group / f"{choice}.yaml")
