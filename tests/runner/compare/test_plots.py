"""The figures of a comparison: one for each cost that was recorded, and one of the seeds."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from runner.compare.analyse import analyse
from runner.compare.plots import draw_figures
from runner.compare.select import select_runs
from tests.runner.compare.folders import write_group


def test_each_recorded_cost_has_its_figure_and_nothing_stays_half_written(tmp_path: Path) -> None:
    """A name like a formula, or like markup, stays a name."""
    write_group(tmp_path, "model=dsn", right=[150, 160], metrics={"cost/macs": 0, "baseline/majority": 0.5})
    write_group(tmp_path, "model=dsn", "data.name='$\\frac{</text>'", right=[120, 100])
    written = draw_figures(analyse(select_runs(tmp_path, [])), tmp_path / "plots", ("png", "svg"))
    assert [path.stem for path in written[::2]] == ["pareto_bytes", "pareto_latency", "pareto_macs", "seeds"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in written[::2])
    drawn = ElementTree.fromstring((tmp_path / "plots" / "pareto_bytes.svg").read_bytes())
    words = ["".join(node.itertext()) for node in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert any("=$\\frac{</text>" in word for word in words) and "majority-class baseline 0.5" in words
    assert sorted((tmp_path / "plots").iterdir()) == sorted(written)
