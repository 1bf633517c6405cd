"""The page of probes has a heat map for each pooling and a row for each line, as text that stays text."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from runner.probing.page import probe_page, write_probe_page
from runner.probing.results import Line
from tests.runner.probing.reports import made_report


def test_every_layer_is_a_cell_and_every_line_a_row(tmp_path: Path) -> None:
    report = made_report(0.9, model="<b>tiny")[0]
    first = report.tasks[0]
    words = replace(first, name="pos", majority=1.0, lines=[Line("word", 0, 0.5, 0.5, 0.4, 0.6)])
    made = probe_page(replace(report, tasks=[first, words]))
    assert made.count("<figcaption>mean</figcaption>") == made.count("<figcaption>word</figcaption>") == 1
    # 0.9 is four fifths of the way from the majority's 0.5; 0.6 a fifth.
    assert "--share:0.800" in made and "--share:0.200" in made and "--share:0.000" in made
    assert made.count(">past_present</td>") == 2 and made.count(">pos</td>") == 1
    assert "&lt;b&gt;tiny" in made and "<b>tiny" not in made and "a note" in made
    assert "accuracy 0.900 [0.860, 0.940], random 0.600, control 0.550; guess 0.500" in made
    path = write_probe_page(tmp_path, report)
    assert path.name == "xprobe-linear.html" and [*tmp_path.iterdir()] == [path]
