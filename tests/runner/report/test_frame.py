"""The axes of a chart: ticks, titles, traces and keys."""

from __future__ import annotations

from runner.report.frame import colour, frame, keys, trace
from runner.report.markup import Markup
from runner.report.scales import Scale


def test_a_frame_writes_its_ticks_and_titles() -> None:
    made = frame(Scale(0, 10), Scale(0, 1), Markup("<g></g>"), x_title="step", y_title="<loss>", name="a chart")
    assert "<g></g>" in made and "&lt;loss&gt;" in made and 'aria-label="a chart"' in made
    assert ">0.2</text>" in made and 'x="20.00%"' in made


def test_a_trace_goes_from_the_lower_left_to_the_upper_right() -> None:
    assert trace([(0, 0), (10, 1)], Scale(0, 10), Scale(0, 1)) == "M0 1000L1000 0"


def test_colours_repeat_and_no_names_make_no_legend() -> None:
    assert colour(9) == "k1" and keys([]) == "" and 'class="key"' in keys([("k0", "a")])
