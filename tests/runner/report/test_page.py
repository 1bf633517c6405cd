"""The frame of a page: whole, closed to the network, and without markup from outside."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

from runner.report.markup import EMPTY, tag
from runner.report.page import Section, choices, page, write_page

EVIL = "</style></script><script>alert(1)</script>"


class Balance(HTMLParser):
    """Counts what is open; every element but the empty ones must be closed in its turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in EMPTY

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_a_page_is_balanced_and_holds_no_markup_of_its_texts() -> None:
    figures = choices([(EVIL, tag("p", EVIL)), ("b", tag("p", "b"))])
    made = page(EVIL, [Section(EVIL, figures, "one", [EVIL])], lead=EVIL, facts=EVIL)
    Balance(made)
    assert made.count("</script>") == 1 and made.count("</style>") == 1
    assert made.count("&lt;script&gt;alert(1)") == 9, "title, heading, lead, facts, button, caption, text, card, note"


def test_a_page_loads_nothing() -> None:
    made = page("t", [])
    assert "default-src 'none'" in made and not re.findall(r"(?:src|href|action)\s*=|url\(|@import|fetch\(", made)


def test_a_single_figure_needs_no_buttons() -> None:
    assert "button" not in choices([("a", tag("p", "a"))])


def test_a_page_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    write_page(tmp_path / "report.html", page("ä", []))
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    assert '<h1 id="title">ä</h1>' in (tmp_path / "report.html").read_text(encoding="utf-8")
