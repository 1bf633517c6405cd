"""The content of the report's page: points that are thinned, and text that stays text."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from runner.compare.analyse import analyse
from runner.compare.html import CURVE_POINTS, read_points, report_page
from runner.compare.select import select_runs
from tests.runner.compare.folders import write_group


def test_long_curves_are_thinned_to_means_and_damaged_lines_are_skipped(tmp_path: Path) -> None:
    lines = [json.dumps({"step": step, "time": 0.0, "val/accuracy": step / 1000}) for step in range(1, 1001)]
    (tmp_path / "metrics.jsonl").write_text("\n".join([*lines, '{"step": 1001, "val/acc']), encoding="utf-8")
    points = read_points(tmp_path)["val/accuracy"]
    assert len(points) <= CURVE_POINTS and points[-1][0] == 1000
    assert points[0] == pytest.approx([7, 0.004]), "steps 1 to 7: their mean, at the last of them"


def test_a_run_without_points_has_no_curves(tmp_path: Path) -> None:
    assert read_points(tmp_path) == {}


def test_the_page_holds_its_data_as_json_that_ends_no_script(tmp_path: Path) -> None:
    write_group(tmp_path, "model=dsn", right=[150, 160])
    comparison = analyse(select_runs(tmp_path, []))
    page = report_page(comparison, title="</script><b>", question=None, made="today")
    assert page.count("</script>") == 2
    found = re.search(r'type="application/json">(.*?)</script>', page, re.DOTALL)
    content = json.loads(found[1]) if found else {}
    assert content["title"] == "</script><b>" and content["facts"] == "2 runs in 1 groups. today"
    assert content["tests"] is None and content["table"]["columns"][0]["title"] == "group"
