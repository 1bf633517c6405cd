"""Widths of texts without a font: rather too much than too little."""

from __future__ import annotations

from runner.report.text_width import text_width


def test_wide_letters_are_wider_and_marks_are_not() -> None:
    assert text_width("WWW", 12) > text_width("nnn", 12) > text_width("iii", 12) > 0
    assert text_width("漢字", 12) > 24 and text_width("e\u0301", 12) == text_width("e", 12)


def test_the_estimate_is_no_less_than_dejavu_sans_needs() -> None:
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    for words in ("12 model=bert-tiny optimizer.lr=0.005", "model=dsn compression=[prune,quantize]", "WWiill--@@"):
        drawn = TextPath((0, 0), words, size=12, prop=FontProperties(family="DejaVu Sans"))
        assert text_width(words, 12) >= drawn.get_extents().width
