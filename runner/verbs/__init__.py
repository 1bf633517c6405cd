"""One module a verb of the command `run`, each with `main(words) -> exit code`."""

from __future__ import annotations

from pathlib import Path

from runner.errors import ConfigError


def options(verb: str, words: list[str], **defaults: str) -> dict[str, str]:
    """The key=value words of a verb over their defaults; an unknown key is refused with the known ones."""
    found = dict(defaults)
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or key not in defaults:
            known = ", ".join(f"{k}={v}" for k, v in defaults.items()) or "none"
            raise ConfigError(f"run {verb}: {word!r} is not one of its settings ({known}). Try: run {verb}")
        found[key] = value
    return found


def output_folder(text: str) -> Path:
    """The folder of run folders, absolute."""
    return Path(text).expanduser().absolute()
