"""Markup is made by `tag` alone; everything else becomes text."""

from __future__ import annotations

from runner.report.markup import Markup, tag


def test_text_and_attributes_are_escaped_and_markup_is_not() -> None:
    inner = tag("b", '1 < 2 & "3"', data_tip='"><script>')
    assert inner == '<b data-tip="&quot;&gt;&lt;script&gt;">1 &lt; 2 &amp; &quot;3&quot;</b>'
    assert tag("p", inner) == f"<p>{inner}</p>" and tag("p", str(inner) + "") != f"<p>{inner}</p>"


def test_joining_markup_with_text_gives_text_that_is_escaped_again() -> None:
    assert tag("p", Markup("<i/>") + "<b>") == "<p>&lt;i/&gt;&lt;b&gt;</p>"


def test_attributes_without_a_value_are_left_out_and_empty_elements_close_themselves() -> None:
    assert tag("circle", cx=1, class_=None, hidden=True, open=False) == '<circle cx="1" hidden/>'


def test_control_characters_are_spelled_out() -> None:
    assert tag("td", "a\x1b[2Jb\u202e") == "<td>a\\x1b[2Jb\\u202e</td>"
