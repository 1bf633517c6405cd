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


def named(verb: str, words: list[str]) -> tuple[str, list[str]]:
    """The run or folder that a verb is for, its first word, and the words after it."""
    if not words or "=" in words[0]:
        raise ConfigError(f"run {verb}: of which run? run show names the newest. Try: run {verb} <id>")
    return words[0], words[1:]


def flag(verb: str, key: str, text: str) -> bool:
    """A setting that is true or false."""
    if text not in ("true", "false"):
        raise ConfigError(f"run {verb}: {key}={text}: expected true or false. Try: {key}=true")
    return text == "true"


def whole(verb: str, key: str, text: str, low: int, high: int) -> int:
    """A setting that is a whole number within limits."""
    if not text.isdecimal() or not low <= int(text) <= high:
        raise ConfigError(f"run {verb}: {key}={text}: expected a whole number, {low} to {high:,}. Try: {key}={low}")
    return int(text)


def output_folder(text: str) -> Path:
    """The folder of run folders, absolute; ConfigError for the home of a user who is not there."""
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError as error:
        raise ConfigError(f"paths.output={text}: there is no such user here. Try: paths.output=outputs") from error
