"""The figures of a comparison: points of what was measured, the colours' legend, curves of the first runs."""

from __future__ import annotations

from pathlib import Path

from runner.compare import figures
from runner.compare.analyse import analyse
from runner.compare.colours import Colouring, colour_groups
from runner.compare.figures import curve_figures, legend_of, pareto_figures, parts_of, points_of, seed_figures
from runner.compare.select import select_runs
from tests.runner.compare.folders import write_group


def test_points_have_numbers_intervals_and_costs(tmp_path: Path) -> None:
    write_group(tmp_path, "model=dsn", right=[150, 160], metrics={"cost/macs": 0})
    write_group(tmp_path, "model=bert-tiny", right=[180, 182], metrics={"cost/bytes_deployed": 9000})
    comparison = analyse(select_runs(tmp_path, []))
    parts, colouring = parts_of(comparison), colour_groups(comparison.groups)
    points = points_of(comparison, parts[0], "b", colouring)
    assert [(point.number, point.name, point.x, point.colour) for point in points] == [
        (1, "model=bert-tiny", 9000, 0), (2, "model=dsn", 5000, 1)
    ]  # fmt: skip
    assert all(point.low and point.high and point.low < point.y < point.high and point.is_on_front for point in points)
    assert [point.number for point in points_of(comparison, parts[0], "m", colouring)] == [1], "nothing to count"
    assert "deployed bytes: 9,000" in points[0].tip


def test_a_score_that_is_no_number_is_drawn_nowhere(tmp_path: Path) -> None:
    write_group(tmp_path, "model=dsn", right=[150, 160], metrics={"test/loss": float("nan")})
    comparison = analyse(select_runs(tmp_path, []), metric="test/loss")
    parts, colouring = parts_of(comparison), colour_groups(comparison.groups)
    assert pareto_figures(comparison, parts, colouring) is None and seed_figures(parts, colouring) is None


def test_only_the_first_runs_have_curves_and_a_sentence_says_so(tmp_path: Path, monkeypatch: object) -> None:
    write_group(tmp_path, "model=dsn", right=[150, 160, 155])
    comparison = analyse(select_runs(tmp_path, []))
    drawn = curve_figures(comparison, colour_groups(comparison.groups))
    assert drawn and drawn[0].count('class="curve ') == 3 and "Only" not in drawn[1]
    assert figures.CURVE_RUNS == 60


def test_the_legend_names_the_values_in_use() -> None:
    colouring = Colouring([0, 1, 1, 2], ["dsn", "bert", "static"], "model.name")
    assert legend_of(colouring, [2, 3, 4], "dot") == [("dot k1", "model=bert"), ("dot k2", "model=static")]
    assert legend_of(Colouring([0], ["model=dsn"]), [1]) == []
