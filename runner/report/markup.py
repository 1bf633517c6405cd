"""HTML and SVG, escaped by construction: only `tag` makes markup, and it escapes all other text.

    tag("td", label, class_="number")      # <td class="number">1 &lt; 2</td>

Labels, file names, settings and other people's records may contain anything; they can only become text.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from runner.sanitize import visible

EMPTY = {"meta", "br", "circle", "line", "path", "rect"}  # elements without content


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


def tag(name: str, /, *children: str, **attributes: object) -> Markup:
    """Return an element; children that are not Markup are escaped, as are all values of attributes.

    attributes: `class_` is class, and `aria_label` is aria-label. None and False leave an attribute out, True gives it
    without a value.
    """
    words = [f"<{name}"]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        shown = key.rstrip("_").replace("_", "-")
        words.append(f" {shown}" if value is True else f' {shown}="{text(str(value))}"')
    if name in EMPTY and not children:
        return Markup("".join([*words, "/>"]))
    return Markup("".join([*words, ">", *map(text, children), f"</{name}>"]))


def join(parts: Iterable[Markup]) -> Markup:
    """Return pieces of markup one after the other."""
    return Markup("".join(parts))


def text(value: str) -> str:
    """Return text as HTML, control characters spelled out; Markup stays as it is."""
    return value if isinstance(value, Markup) else escape(visible(value), quote=True)
