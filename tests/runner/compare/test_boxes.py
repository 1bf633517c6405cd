"""Reports of 4, 12 and 40 groups and the page of a run, in a browser at 1,400 and 420 pixels: no text is clipped, and
no two texts of a figure overlap.
"""

from __future__ import annotations

import html
import random
from dataclasses import replace
from pathlib import Path

import pytest

from runner.compare.analyse import analyse
from runner.compare.html import report_page
from runner.compare.select import select_runs
from runner.record.folder import read_record
from runner.record.record import ClassReport
from runner.report.run_page import run_page
from tests.runner.compare.folders import write_group
from tests.runner.compare.test_report import CHROMIUM, browse_text

MODELS = ("dsn", "bert-tiny", "dsn-32", "bert-mini", "dsn-64", "dsn-bigram", "bermo")
RATES = (0.001, 0.005, 0.0001, 0.002, 0.0003, 0.007)
WIDTHS = (1400, 420)
CLASSES = ClassReport(
    ["negative", "neither of the two"],
    [500, 500],
    [480, 520],
    [0.5, 0.5],
    [0.5, 0.5],
    [0.5, 0.5],
    [[300, 200], [180, 320]],
)


def report_of(output: Path, count: int) -> str:
    """The page of so many groups, crowded as the sizes of a sweep are; the last one has learned nothing."""
    draw = random.Random(count)
    for i in range(count):
        place, rate = i % len(MODELS), RATES[i // len(MODELS)]
        right = 15 if i == count - 1 else 28 + place + draw.randint(-2, 2)
        metrics = {
            "cost/bytes_deployed": 5000 * (1 + place) ** 2.2 * draw.uniform(0.98, 1.02), "baseline/majority": 0.5,
            "cost/macs": 1000 * (1 + place) ** 2.2 * draw.uniform(0.98, 1.02), "baseline/ngram": 0.8,
            "speed/answer_us_p50": 100 * draw.uniform(1, 3),
        }  # fmt: skip
        write_group(output, f"model={MODELS[place]}", f"optimizer.lr={rate}", right=[right], count=40, metrics=metrics)
    comparison = analyse(select_runs(output, []), baseline="model=dsn optimizer.lr=0.001")
    return report_page(comparison, title=f"{count} groups", question="Which is best?", made="today")


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_nothing_is_clipped_and_no_labels_overlap(tmp_path: Path) -> None:
    pages = {f"{count} groups": report_of(tmp_path / str(count), count) for count in (4, 12, 40)}
    folder = next((tmp_path / "4").iterdir())
    record = read_record(folder)
    assert record
    pages["a run"] = run_page(replace(record, reports={"test": CLASSES}), folder)
    frames = [
        f'<iframe title="{name} at {width}" width="{width}" height="900" srcdoc="{html.escape(page)}"></iframe>'
        for name, page in pages.items()
        for width in WIDTHS
    ]
    script = Path(__file__).with_name("boxes.js").read_text(encoding="utf-8")
    whole = f"<!doctype html><meta charset=utf-8><body>{''.join(frames)}<script>{script}</script></body>"
    (tmp_path / "all.html").write_text(whole, encoding="utf-8")
    dom, _ = browse_text(tmp_path / "all.html", "", tmp_path / "profile")
    said = html.unescape(dom.partition("<body>")[2].partition("</body>")[0]).strip().splitlines()
    looked = [line for line in said if line.startswith("looked at ")]
    assert [line for line in said if line not in looked] == []
    assert len(looked) == len(frames) and f"looked at 40 groups at 420: 3 figures, {2 * 3 * 40} labels" in looked
