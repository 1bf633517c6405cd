"""Settings quoted for a shell and for Hydra, so that any path or column name can be their value.

    shell_setting("data.text", "the message")      # 'data.text="the message"', to paste
    hydra_setting("data.text", "the message")      # data.text="the message", a word of sys.argv

Standard library only.
"""

from __future__ import annotations

import re
import shlex


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


def hydra_setting(key: str, value: str) -> str:
    """Return a setting that Hydra reads as this text, whatever characters it has; not quoted for a shell."""
    return f"{key}={_in_quotes(value) if _is_converted(value) else hydra_value(value)}"


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
