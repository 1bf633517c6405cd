"""The charts of a page, from one place: each returns markup for a section.

confusion(names, counts)                              # (C, C), rows are labels
reliability([Answers("before", bins), Answers("after", bins, "ECE 0.012")])
curves([Curve("train", points)], x_title="step", y_title="loss")
heat_map(["0", "1"], {"pos": [Heat("0.86", 0.8, "at layer 0"), None]}, corner="task", name="scores")
bars([Bar("fraud", 0.83, "0.83 [0.80, 0.86]", 0.80, 0.86)], most=1.0)
"""

from __future__ import annotations

from runner.report.bars import Bar, bars
from runner.report.confusion import confusion
from runner.report.curves import Curve, curves
from runner.report.heat_map import Heat, heat_map
from runner.report.reliability import Answers, Bin, reliability

__all__ = ["Answers", "Bar", "Bin", "Curve", "Heat", "bars", "confusion", "curves", "heat_map", "reliability"]
