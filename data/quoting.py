"""Settings quoted for a shell and for Hydra, so that any path or column name can be their value; lists of names.

    shell_setting("data.text", "the message")      # 'data.text="the message"', to paste
    hydra_setting("data.text", "the message")      # data.text="the message", a word of sys.argv

Standard library only.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence

from data.json_types import Json

SPECIAL = frozenset("[]{}()'\"\\$=\n\r\t\0")  # have a meaning in Hydra's grammar, as has the comma between values
UNKNOWN = re.compile(r"[^\x00-\x7f]|[!#&;<>^`~]")  # characters that this grammar allows in quotes only


def shell_setting(key: str, value: str) -> str:
    """Return a setting as typed in a shell; settings with a dot are parsed by Hydra, which has its own quoting."""
    if re.fullmatch(r"[\w./-]+", value, re.ASCII) and not ("." in key and _is_converted(value)):
        return f"{key}={value}"
    return quoted_setting(key, value) if "." in key else shlex.quote(f"{key}={value}")


def _is_converted(value: str) -> bool:
    """Return whether Hydra would convert this unquoted value and so change its text, as with null or 1e3."""
    return value.lower() in ("null", "true", "false") or (is_number(value) and not re.fullmatch("0|[1-9][0-9]*", value))


def quoted_setting(key: str, value: str) -> str:
    """Return a setting quoted for Hydra and for the shell, whatever characters its value has."""
    return shlex.quote(f"{key}={_in_quotes(value)}")


def with_quotes(word: str) -> str:
    """Return a setting as typed, with quotes around each value that Hydra's grammar allows only in quotes.

    data.text=görüş becomes data.text="görüş", and [a,Q&A] becomes [a,"Q&A"]. Words that already have quotes, or nested
    brackets, are returned unchanged.
    """
    found = re.fullmatch(r"([+~]{0,2}\w[\w./@-]*=)(\[?)(.*?)(\]?)", word, re.ASCII)
    if not found or not UNKNOWN.search(word) or set(found[3]) & SPECIAL or bool(found[2]) != bool(found[4]):
        return word
    items = (_in_quotes(item.strip()) if UNKNOWN.search(item) else item for item in found[3].split(","))
    return f"{found[1]}{found[2]}{','.join(items)}{found[4]}"


def hydra_setting(key: str, value: Json) -> str:
    """Return a setting that Hydra reads as this value, whatever characters a text has; not quoted for a shell."""
    return f"{key}={_as_read(value)}"


def _as_read(value: Json) -> str:
    if isinstance(value, str):
        return _in_quotes(value) if _is_converted(value) else hydra_value(value)
    if isinstance(value, Mapping) and not all(map(str.isascii, value)):  # Hydra's keys are ASCII
        return _in_quotes(json.dumps(value, ensure_ascii=False))  # as data.label_names takes it
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_key(key)}:{_as_read(item)}" for key, item in value.items()) + "}"
    if isinstance(value, Sequence):
        return "[" + ",".join(map(_as_read, value)) + "]"
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else repr(value)


def _key(text: str) -> str:
    """Return a key of an object for Hydra, which knows no quotes there: a backslash precedes each unusual character."""
    return re.sub(r"([^\w./-])", r"\\\1", text, flags=re.ASCII)


def hydra_value(value: str) -> str:
    """Return a value as Hydra reads it: numbers and null stay what they are, anything unusual is a text in quotes."""
    return value if re.fullmatch(r"[\w./:-]+", value, re.ASCII) else _in_quotes(value)


def _in_quotes(value: str) -> str:
    """Return a text quoted for Hydra.

    Backslashes are special only before a quote and before an interpolation, so they are doubled only there.
    """
    text = re.sub(r"(\\*)\$\{", lambda found: f"{2 * found[1]}\\${{", value)
    text = re.sub(r'(\\*)("|\Z)', lambda found: 2 * found[1] + ('\\"' if found[2] else ""), text)
    return f'"{text}"'


def is_number(text: str) -> bool:
    """Is this text a number?"""
    try:
        float(text)
    except ValueError:
        return False
    return True


def listed(names: Sequence[str]) -> str:
    """Return columns or labels for a sentence, in quotes if one is empty or has a comma or surrounding blanks."""
    plain = all(name and name == name.strip() and "," not in name for name in names)
    return ", ".join(name if plain else repr(name) for name in names)
