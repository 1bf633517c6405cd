"""Tables of 80 columns: groups, baselines, stars, what was left out."""

from __future__ import annotations

import io
from dataclasses import replace

from rich.console import Console

from runner.minimal_pairs.results import Line, PairReport
from runner.minimal_pairs.show import groupings, is_at_baseline, one_line, show_report
from tests.runner.minimal_pairs.test_results import report

LONG = "coordinate_structure_constraint_complex_left_branch"


def shown(one: PairReport, by: str = "") -> str:
    stream = io.StringIO()
    show_report(one, Console(file=stream, width=80, force_terminal=True, color_system=None), by)
    return stream.getvalue()


def test_a_table_fits_a_terminal_and_names_what_counts() -> None:
    paradigms = [Line(LONG, [LONG], 1000, 0.5, 0.48, 0.52, 1.0, 0.5, None, 0.0)]
    text = shown(replace(report(), groups=report().groups | {"paradigm": paradigms}), "all")
    assert max(map(len, text.splitlines())) <= 80
    assert "100.0%" in text and "0.500*" in text and "0.750 " in text
    assert "80 of 2,000 pairs in 1 s, the first of each paradigm; all: max_pairs=all" in " ".join(text.split())
    assert "1 pair has two equal sentences, a tie for every model: a 7" in text
    assert "note: a note" in text


def test_the_groups_of_the_data_are_shown_unless_paradigms_are_asked_for() -> None:
    assert groupings(report(), "") == ["field"]
    assert groupings(report(), "paradigm") == ["paradigm"]
    assert groupings(replace(report(), groups={"paradigm": []}), "") == ["paradigm"]


def test_an_accuracy_is_starred_where_a_baseline_or_one_half_is_within_reach() -> None:
    line = report().whole
    assert not is_at_baseline(line)
    assert is_at_baseline(replace(line, shorter=0.7)) and is_at_baseline(replace(line, unigrams=0.65))
    assert is_at_baseline(replace(line, low=0.5, shorter=0.2, unigrams=None))


def test_one_line_has_the_mean_its_interval_and_the_baselines() -> None:
    assert one_line(report()) == (
        "blimp_pll (80 pairs): 0.750 [0.650, 0.850] over 2 paradigms; the shorter sentence 0.500, unigrams 0.600"
    )
