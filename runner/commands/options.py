"""Parses the words of a verb: its key=value options, the run that it is for, and typed values."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Sequence
from pathlib import Path

from runner.errors import ConfigError

MOST_DIGITS = 18  # of a whole number: int() refuses thousands


def parse_options(verb: str, words: list[str], **defaults: str) -> dict[str, str]:
    """Return the key=value words of a verb over their defaults; an unknown key is refused with the known ones."""
    found = dict(defaults)
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or key not in defaults:
            raise ConfigError(unknown_option(verb, word, [f"{key}={value}" for key, value in defaults.items()]))
        found[key] = value
    return found


def unknown_option(verb: str, word: str, known: Sequence[str]) -> str:
    """Return the message that refuses a word of a verb's command. known: its options, each alone or with its default.

    The cure is the word with the right name where one is close, else the verb's help.
    """
    key, equals, value = word.partition("=")
    close = difflib.get_close_matches(key, [option.partition("=")[0] for option in known], n=1)
    cure = shlex.quote(f"{close[0]}={value}") if close and equals else f"run {verb} --help"
    return f"run {verb}: {word!r} is not one of its options ({', '.join(known) or 'none'}). Try: {cure}"


def split_run(verb: str, words: list[str]) -> tuple[str, list[str]]:
    """Return the first word, which is the run or folder that a verb is for, and the words after it."""
    if not words or ("=" in words[0] and not Path(words[0]).expanduser().is_dir()):  # a folder such as exports/lr=0.1
        raise ConfigError(f"run {verb}: of which run? run show prints the newest. Try: run {verb} <id>")
    refuse_flag(verb, words[0])
    return words[0], words[1:]


def refuse_flag(verb: str, word: str) -> None:
    """Raise ConfigError for a word that begins as a flag, which would be looked up as the id of a run."""
    if word.startswith("-"):
        raise ConfigError(f"run {verb}: no flag {word}; its options are written key=value. Try: run {verb} --help")


def true_or_false(verb: str, key: str, text: str) -> bool:
    """Return the value of an option that is true or false; raise ConfigError for any other text."""
    if text not in ("true", "false"):
        raise ConfigError(f"run {verb}: {key}={text}: expected true or false. Try: {key}=true")
    return text == "true"


def whole_number(verb: str, key: str, text: str, low: int, high: int) -> int:
    """Return the value of an option that is a whole number within limits; raise ConfigError for any other text."""
    is_whole = text.isdecimal() and len(text) <= MOST_DIGITS
    if not is_whole or not low <= int(text) <= high:
        raise ConfigError(f"run {verb}: {key}={text}: expected a whole number, {low} to {high:,}. Try: {key}={low}")
    return int(text)


def path_option(key: str, text: str, instead: str) -> Path:
    """Return the path of an option without ~, which a shell keeps after `out=`.

    instead: a path to suggest. Raises ConfigError for the home of an unknown user.
    """
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise ConfigError(f"{key}={text}: this machine has no such user. Try: {key}={instead}") from error


def output_folder(text: str) -> Path:
    """Return the folder of run folders, absolute; raise ConfigError for the home of an unknown user."""
    return path_option("paths.output", text, "outputs").absolute()
