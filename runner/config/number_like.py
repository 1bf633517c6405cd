"""Texts that look like numbers, which Hydra would change: the id of a run 318296e039, or the column 007.

Unquoted, Hydra reads compression.distil.teacher=318296e039 as 3.18296e+44. About one id in a hundred is such a number.
"""

from __future__ import annotations

from collections.abc import Sequence

from data.quoting import is_number
from runner.config.check_values import is_text


def quote_texts(words: Sequence[str]) -> list[str]:
    """Return the words of a command, with quotes around the numbers that are values of a text setting."""
    return [_quoted(word) for word in words]


def _quoted(word: str) -> str:
    key, _, value = word.partition("=")
    parts = value.split(",")  # of a sweep
    if not any(map(_is_changed, parts)) or not is_text(key.lstrip("+")):
        return word
    quoted = [f'"{part}"' if _is_changed(part) else part for part in parts]
    return f"{key}={','.join(quoted)}"


def _is_changed(text: str) -> bool:
    """Would reading this text as a number change it?"""
    if not is_number(text):
        return False
    number = float(text) if set(text) - set("+-_0123456789") else int(text)
    return str(number) != text
