"""Text from outside on its way to a person: a terminal obeys control characters, a spreadsheet what starts like a
formula, and rich reads markup. Labels, file names, settings and other people's records may hold all of them.
"""

from __future__ import annotations

import re
from typing import Any, TextIO

from runner.track.uri import mask

# C0 but tab and newline, C1, line separators, what turns the direction of writing, and halves of characters.
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # OWASP, CSV injection


def visible(text: str) -> str:
    r"""The text with control characters spelled out: an escape becomes \x1b."""
    return CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def escape(text: str) -> str:
    """The same for rich: no markup either."""
    from rich.markup import escape as without_markup

    return without_markup(visible(text))


def say(text: str, stream: TextIO | None = None) -> None:
    """Print text that may be from outside: nothing in it is obeyed, and its credentials are hidden."""
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


def cell(value: Any) -> Any:
    """A value for a CSV file that a spreadsheet shows and does not run: text like a formula begins with an apostrophe.

    Nor is anything in it for a terminal to obey.

    Numbers stay as they are, also those that are text.
    """
    if not isinstance(value, str) or _is_number(value):
        return value
    return f"'{visible(value)}" if value.startswith(FORMULA) else visible(value)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text == text.strip()  # a tab before it starts a formula's cell
