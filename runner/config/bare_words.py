"""Messages about a word without an equals sign where a command expects settings, as in `run model=dsn imdb`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from data.quoting import shell_setting
from data.sources.options import format_of
from runner.config.compose import groups
from runner.config.keys import closest, known_keys
from runner.config.plugins import named_sweeps


def no_setting(word: str, verb: str = "", own: Sequence[str] = ()) -> str:
    """Return the message about a word that is not written key=value, with what may have been meant.

    verb: the verb of the command, whose help is the cure where nothing is close; own: keys that only this verb has.
    """
    cure = f"run {verb} --help" if verb else "run --help"
    if word.startswith("-"):
        return f"no flag {word}; settings are written key=value. Try: {cure}"
    return f"{word!r} is not a setting, which is written key=value. Try: {_meant(word, own) or cure}"


def _meant(word: str, own: Sequence[str]) -> str:
    """Return the setting that a word is the value or the key of; "" if nothing is close."""
    if format_of(Path(word)):
        return f"data=files {shell_setting('data.path', word)}"
    if owners := [group for group, choices in groups().items() if word in choices]:
        return f"{min(owners, key=lambda group: group.count('/'))}={word}"
    if word in named_sweeps():
        return f"run -m +sweep={word}"
    keys = [*own, *groups(), *known_keys()]
    return f"{close[0]}=..." if (close := closest(word, keys)) else ""
