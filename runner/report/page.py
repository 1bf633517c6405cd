"""The frame of a page: one HTML file with its style and script inside, light and dark, for screens from 420 px on.

    write_page(folder / "report.html", page("dsn on imdb", [Section("Scores", table(...))]))

A page loads nothing, which its content security policy enforces. It is readable without scripts; scripts sort tables,
switch between figures and show the numbers behind a point.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from data.part_file import written_whole
from runner.report.markup import Markup, join, tag, text

POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


@dataclass(frozen=True)
class Section:
    """One card of a page. name: its id, for links and tests. notes: sentences below, in small grey type."""

    title: str
    body: Markup
    name: str = ""
    notes: Sequence[str] = ()
    is_wide: bool = False  # may it be wider than text, such as a table with many columns


def page(title: str, sections: Sequence[Section], *, lead: str = "", facts: str = "") -> str:
    """Return a whole page. lead: a sentence below the title, such as a question. facts: a line in grey below that."""
    head = join([
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"/>'),
        tag("title", title),
        Markup(f"<style>{_part('page.css')}</style>"),
    ])  # fmt: skip
    header = tag(
        "header",
        tag("h1", title, id="title"),
        tag("p", lead, class_="lead") if lead else Markup(),
        tag("p", facts, class_="quiet", id="facts") if facts else Markup(),
    )
    script = Markup(f"<script>{_part('page.js')}</script>")
    tip = tag("div", id="tip", role="status", hidden=True)
    body = tag("body", header, tag("main", *map(_section, sections)), tip, script)
    return f"<!doctype html>\n{tag('html', tag('head', head), body, lang='en')}\n"


def write_page(path: Path, content: str) -> None:
    """Write a page whole or not at all."""
    with written_whole(path) as part:
        part.write_text(content, encoding="utf-8")


def notes(sentences: Sequence[str]) -> Markup:
    """Return sentences in small grey type: one as a paragraph, several as a list."""
    if len(sentences) < 2:
        return join(tag("p", sentence, class_="quiet") for sentence in sentences)
    return tag("ul", *(tag("li", sentence) for sentence in sentences), class_="quiet")


def choices(figures: Sequence[tuple[str, Markup]]) -> Markup:
    """Return several figures of which one is shown, with a button for each; without scripts all are shown."""
    if len(figures) == 1:
        return tag("figure", figures[0][1])
    bar = tag(
        "div",
        *(tag("button", name, type="button", aria_pressed="false") for name, _ in figures),
        class_="choices",
        hidden=True,
    )
    shown = join(tag("figure", tag("figcaption", name), content) for name, content in figures)
    return tag("div", bar, shown, class_="one-of")


def folded(title: str, content: Markup) -> Markup:
    """Return content that is collapsed until it is clicked."""
    return tag("details", tag("summary", title), content)


def _section(section: Section) -> Markup:
    return tag(
        "section",
        tag("h2", section.title) if section.title else Markup(),
        section.body,
        notes(section.notes),
        id=section.name or None,
        class_="wide" if section.is_wide else None,
    )


@cache
def _part(name: str) -> str:
    return resources.files("runner.report").joinpath(name).read_text(encoding="utf-8")


__all__ = ["Section", "choices", "folded", "notes", "page", "text", "write_page"]
