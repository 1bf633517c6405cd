"""The quotes that Hydra needs around values, which nobody types: data.text=görüş, and texts that look like numbers.

Unquoted, it refuses the first, and reads compression.distil.teacher=318296e039 as 3.18296e+44. About one run id in a
hundred is such a number.
"""

from __future__ import annotations

from collections.abc import Sequence

from data.quoting import is_number, with_quotes
from runner.config.check_values import is_text


def add_quotes(words: Sequence[str]) -> list[str]:
    """Return the words of a command as Hydra reads them; words with quotes stay as they are."""
    return [_quoted_numbers(with_quotes(word)) for word in words]


def _quoted_numbers(word: str) -> str:
    """Return a word with quotes around the numbers that are values of a text setting."""
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
