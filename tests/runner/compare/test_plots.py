"""The figures of a comparison: one for each cost that was recorded, and one of the seeds."""

from __future__ import annotations

from pathlib import Path

from runner.compare.analyse import analyse
from runner.compare.plots import draw_figures
from runner.compare.select import select_runs
from tests.runner.compare.folders import write_group


def test_each_recorded_cost_has_its_figure_and_nothing_stays_half_written(tmp_path: Path) -> None:
    write_group(tmp_path, "model=dsn", right=[150, 160], metrics={"cost/macs": 0})
    written = draw_figures(analyse(select_runs(tmp_path, [])), tmp_path / "plots")
    assert [path.name for path in written] == ["pareto_bytes.png", "pareto_latency.png", "seeds.png"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in written)
    assert len(list((tmp_path / "plots").iterdir())) == 3
