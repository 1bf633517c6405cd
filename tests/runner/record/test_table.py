"""A run as a table in a terminal: which rows it has, in which order, and that text from outside stays text."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from runner.record.record import RunRecord
from runner.record.table import show_record, summary_rows, with_interval
from tests.records import a_record, record_json

SCORES = {
    "test/accuracy": 0.75, "test/accuracy_low": 0.7, "test/accuracy_high": 0.8, "val/accuracy": 0.8,
    "baseline/majority": 0.5,
}  # fmt: skip
COSTS = {"cost/params": 1234.0, "cost/bytes_deployed": 2e6, "cost/bytes_file": 3e6}
TIMES = {"speed/answer_us_p50": 150.4, "speed/latency_ms_p50_b1_s128": 1.25, "time/total_s": 61.04}


def run(**changes: Any) -> RunRecord:
    data = {"primary": "test/accuracy", "rows": {"train": 9, "val": 9, "test": 9}, "task": "classification"}
    return a_record(**({"metrics": SCORES | COSTS | TIMES, "data": data} | changes))


def shown(record: RunRecord, folder: Path, width: int = 100, **options: Any) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=width, force_terminal=True, no_color=True, highlight=False)
    show_record(record, folder, console, **options)
    return stream.getvalue()


def test_scores_of_the_reported_split_come_first_then_costs_then_times() -> None:
    rows = summary_rows(run())
    assert [name for name, _ in rows if name] == [
        "test/accuracy", "val/accuracy", "majority-class baseline", "cost/params", "cost/bytes_deployed",
        "speed/answer_us_p50", "time/total_s",
    ]  # fmt: skip
    values = dict(rows)
    assert values["test/accuracy"] == "0.7500  [0.7000, 0.8000]" and values["cost/params"] == "1,234"
    assert values["cost/bytes_deployed"] == "2.00 MB" and values["speed/answer_us_p50"] == "150"
    assert rows.count(("", "")) == 2, "three sections"


def test_details_and_runs_without_a_time_of_answers_show_the_forward_pass() -> None:
    forward = "speed/latency_ms_p50_b1_s128"
    detailed = dict(summary_rows(run(), details=True))
    assert detailed[forward] == "1.250" and detailed["cost/bytes_file"] == "3.00 MB"
    older = {name: value for name, value in (SCORES | COSTS | TIMES).items() if name != "speed/answer_us_p50"}
    assert dict(summary_rows(run(metrics=older)))[forward] == "1.250" and forward not in dict(summary_rows(run()))


@pytest.mark.parametrize(("metrics", "text"), [
    ({"test/ece": 0.03, "test/ece_floor_95": 0.04}, "0.0300  (chance alone: up to 0.0400)"),
    ({"test/ece": 0.03, "test/ece_low": 0.01}, "0.0300"),
])  # fmt: skip
def test_a_metric_stands_beside_what_chance_gives(metrics: dict[str, float], text: str) -> None:
    assert with_interval(metrics, "test/ece") == text


def test_a_run_no_better_than_its_baselines_says_so(tmp_path: Path) -> None:
    low = {"test/accuracy_low": 0.45, "baseline/ngram": 0.8, "baseline/ngram_bytes": 9e3, "baseline/ngram_us": 15.0}
    text = shown(run(metrics=SCORES | COSTS | TIMES | low), tmp_path)
    assert "0.7500  [0.4500, 0.8000] (at baseline)" in text and "at baseline: not better" in text
    assert "0.8000 at 0.01 MB, 15 us" in text and "note: larger, slower and not better than the n-gram" in text


def test_stages_have_a_table_of_their_own(tmp_path: Path) -> None:
    stages = [{"name": name, "metrics": SCORES | COSTS} for name in ("train", "int8")]
    assert "after each stage" not in shown(run(stages=stages[:1]), tmp_path)
    text = shown(run(stages=stages), tmp_path)
    assert "after each stage" in text and "int8" in text and "2.000" in text


def test_text_from_outside_is_no_markup(tmp_path: Path) -> None:
    config = record_json()["config"] | {"model": {"name": "[red]dsn \x1b[31m"}}
    text = shown(run(config=config), tmp_path / "[bold]b")
    assert "[red]" in text and "\x1b[31m" not in text and "[bold]b" in text


def test_a_pipe_is_wide_enough_for_the_numbers(tmp_path: Path) -> None:
    stream = io.StringIO()
    show_record(run(), tmp_path, Console(file=stream, width=20))
    assert "0.7500  [0.7000, 0.8000]" in stream.getvalue()
