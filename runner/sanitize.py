"""Makes text from outside safe to show: a terminal obeys control characters, a spreadsheet runs formulas, rich reads
markup, and any text may hold credentials. Labels, file names, settings and other people's records may contain all of
these.
"""

from __future__ import annotations

import os
import re
from typing import TextIO, TypeVar

from data.json_types import Json, JsonObject

# C0 except tab and newline, C1, line separators, marks that change the writing direction, and lone surrogates.
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # OWASP, CSV injection
HIDDEN = "***"
# Greedy up to the last "@" before a slash, so that a password with an unquoted "@" is hidden as a whole.
USER_INFO = re.compile(r"(?<=://)[^/\s\"']*@")
SECRET_QUERY = re.compile(r"(?i)([?&][\w-]*(?:password|passwd|pwd|token|secret|api_?key|signature)=)[^&\s\"'#]+")
# Hub tokens, and tokens as HTTP headers hold them.
TOKEN = re.compile(r"\bhf_[A-Za-z0-9]{16,}|(?<=Bearer )[\w.~+/=-]{8,}|(?<=Basic )[\w+/=]{8,}")
SECRET_NAME = re.compile(r"(?i)(password|passwd|token|secret|api_?key|access_key|credentials)$")
MOST_LETTERS = 24  # characters of a class name in a line
SHORTEST = 6  # characters: a shorter secret would match inside ordinary words


def mask(text: str) -> str:
    """Return the text with *** in place of credentials in addresses, access tokens, and the environment's secrets."""
    return str(_without(_secrets(), text))


def masked(content: JsonObject) -> JsonObject:
    """Return the same lists and dictionaries with every text in them masked."""
    secrets = _secrets()
    return {key: _without(secrets, value) for key, value in content.items()}


def _without(secrets: list[str], content: Json) -> Json:
    """Return the same content with every text in it masked, these secrets of the environment too."""
    if isinstance(content, dict):
        return {key: _without(secrets, value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_without(secrets, value) for value in content]
    if not isinstance(content, str):
        return content
    text = TOKEN.sub(HIDDEN, SECRET_QUERY.sub(rf"\1{HIDDEN}", USER_INFO.sub(f"{HIDDEN}@", content)))
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return text


def _secrets() -> list[str]:
    """Return the values of environment variables whose names sound secret, the longest first."""
    found = {value for name, value in os.environ.items() if SECRET_NAME.search(name) and len(value) >= SHORTEST}
    return sorted(found, key=len, reverse=True)


def visible(text: str) -> str:
    r"""Return the text with control characters spelled out: an escape becomes \x1b."""
    return CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def code_span(text: str) -> str:
    """Return Markdown that shows the text as code, between more backticks than it has in a row."""
    mark = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    edge = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{mark}{edge}{text}{edge}{mark}"


def escape(text: str) -> str:
    """Return the text for rich: control characters are spelled out, and markup is not interpreted."""
    from rich.markup import escape as without_markup

    return without_markup(visible(text))


def say(text: str, stream: TextIO | None = None) -> None:
    """Print text that may come from outside: control characters are spelled out, credentials hidden."""
    print(visible(mask(text)), file=stream, flush=True)


class MaskedStream:
    """A text stream that hides credentials: MLflow and its libraries log addresses, Hydra shows configs."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Return the number of characters given, as a stream does."""
        self.stream.write(mask(text))
        return len(text)

    def flush(self) -> None:
        """Pass on what is buffered."""
        self.stream.flush()

    def isatty(self) -> bool:
        """Return False: this is a log file."""
        return False


Cell = TypeVar("Cell")


def cell(value: Cell) -> Cell | str:
    """Return a value that a spreadsheet shows and does not run: text that looks like a formula gets an apostrophe.

    Control characters are spelled out. Numbers stay as they are, even when they are text.
    """
    if not isinstance(value, str) or _is_number(value):
        return value
    return f"'{visible(value)}" if value.startswith(FORMULA) else visible(value)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text == text.strip()  # a leading tab can start a formula


def short(name: str) -> str:
    """Return a class name that fits a line."""
    return name if len(name) <= MOST_LETTERS else f"{name[: MOST_LETTERS - 3]}..."
