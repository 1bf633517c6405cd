"""Keys, values and comments of the files in conf/, read line by line: help and completion do not wait for Hydra.

settings_of("data", "imdb")["data.max_length"]      # Setting(value="512", comment="128 would keep only ...")
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from runner.config.folders import config_roots, file_of

LINE = re.compile(r"^( *)([\w-]+):(?: +([^#\s].*?))?(?:\s+#\s*(.*))?$")
PACKAGE = re.compile(r"^# @package (\S+)", re.MULTILINE)
PLAIN = ("name", "description", "defaults")  # keys of a file that are not settings


@dataclass(frozen=True)
class Setting:
    """The value and the comment of a key in a file; the value is empty if further keys are below it."""

    value: str
    comment: str


def settings_of(group: str, choice: str, above: tuple[Path, ...] = ()) -> dict[str, Setting]:
    """Return the dotted keys of a choice of a group, with those of the files that it includes.

    above: the files that include it; one that includes itself does not compose, and is read once.
    """
    path = file_of(group, choice)
    if not path.is_file() or path in above:
        return {}
    text = path.read_text(encoding="utf-8", errors="replace")
    package = PACKAGE.search(text)
    prefix = "" if package and package[1] == "_global_" else f"{package[1] if package else group.replace('/', '.')}."
    found: dict[str, Setting] = {}
    for part, name in _started_from(text):
        if "/" not in part and "@" not in part:
            found |= settings_of(f"{group}/{part}" if part else group, name, (*above, path))
    for key, setting in _keys(text):
        known = found.get(f"{prefix}{key}")
        found[f"{prefix}{key}"] = setting if setting.comment or not known else Setting(setting.value, known.comment)
    return found


def top_settings() -> dict[str, Setting]:
    """Return the keys of config.yaml itself: seed, device, checkpoint.every_s and so on."""
    text = _main_file().read_text(encoding="utf-8", errors="replace")
    return {key: setting for key, setting in _keys(text) if not key.startswith("hydra")}


def default_choices() -> dict[str, str]:
    """Return the choice that config.yaml makes in each group: {"model": "dsn", ...}."""
    found = re.findall(r"^ +- ([a-z_/]+): (\S+)", _main_file().read_text(encoding="utf-8"), re.MULTILINE)
    return {group: choice.strip("[]") for group, choice in found}


def _main_file() -> Path:
    return next(path for root in config_roots() if (path := root / "config.yaml").is_file())


def _started_from(text: str) -> Iterator[tuple[str, str]]:
    """Yield (nested group or "", choice) of the list `defaults`, written on one line."""
    listed = re.search(r"^defaults: *\[(.*?)\]", text, re.MULTILINE)
    for entry in (listed[1] if listed else "").split(","):
        part, colon, name = entry.strip().partition(": ")
        if entry.strip() not in ("", "_self_"):
            yield (part, name) if colon else ("", part)


def _keys(text: str) -> Iterator[tuple[str, Setting]]:
    """Yield (dotted key, what is written) in the order of a file; lists in block style are left out."""
    above: list[tuple[int, str]] = []
    for line in text.splitlines():
        if not (match := LINE.match(line)):
            continue
        indent, key, value, comment = len(match[1]), match[2], match[3] or "", match[4] or ""
        above = [(place, name) for place, name in above if place < indent]
        dotted = ".".join([*(name for _, name in above), key])
        above.append((indent, key))
        if dotted not in PLAIN:
            yield dotted, Setting(value, comment)
