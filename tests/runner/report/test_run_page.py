"""The page of a run: everything that its record and its answers have, for every kind of task, and only as text."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from runner.commands import show
from runner.record.record import RunRecord
from runner.report.run_page import run_page, write_run_page
from tests.records import a_record, record_json
from tests.runner.compare.folders import write_run
from tests.runner.report.test_page import EVIL, Balance

REPORT = {
    "classes": [EVIL, "pos"], "support": [3, 5], "predicted": [4, 4], "precision": [0.5, 0.75], "recall": [0.6, 0.6],
    "f1": [0.55, 0.66], "confusion": [[2, 1], [2, 3]],
}  # fmt: skip


def titles(page: str) -> list[str]:
    """The titles of the sections."""
    return re.findall(r"<h2>([^<]*)</h2>", page)


def record_of(tmp_path: Path, **changes: Any) -> RunRecord:
    known = {"baseline/majority": 0.5, "baseline/ngram": 0.7, "test/accuracy_low": 0.55, "test/accuracy_high": 0.7}
    return RunRecord.from_json(
        write_run(tmp_path, "model=dsn", labels=[0, 1] * 5, answers=[0, 1, 1] * 3 + [0], metrics=known, **changes)
    )


def test_a_classifier_has_scores_curves_classes_costs_settings_and_next_commands(tmp_path: Path) -> None:
    record = record_of(tmp_path, reports={"test": REPORT}, notes=[EVIL])
    page = run_page(record, tmp_path / record.identity)
    Balance(page)
    assert titles(page) == [
        "Scores", "Notes", "Learning curves", "Classes", "Costs and times", "Data", "Settings", "Environment",
        "What next",
    ]  # fmt: skip
    assert "alert(1)</script>" not in page and page.count("</script>") == 1
    assert f"run predict {record.identity} &#x27;a text&#x27; paths.output={tmp_path}" in page
    assert "0.7000" in page and "majority-class baseline" in page and "run model=dsn data=demo" in page


def test_brackets_are_explained_also_where_an_interval_begins_at_0(tmp_path: Path) -> None:
    record = record_of(tmp_path)
    ends = {"test/accuracy_low": 0.0, "test/accuracy_high": 1.0}
    changed = RunRecord.from_json(record.to_json() | {"metrics": record.metrics | ends})
    page = run_page(changed, tmp_path / record.identity)
    assert "[0.0000, 1.0000]" in page and "Whiskers and brackets: 95 % intervals" in page


def test_reliability_is_shown_before_and_after_calibration(tmp_path: Path) -> None:
    facts = {"method": "temperature", "temperature": 2.0, "split": "val", "rows": 200}
    numbers = {"test/ece": 0.02, "test/ece_floor": 0.03, "test/ece_floor_95": 0.04, "test/ece_uncalibrated": 0.2}
    labels = ["neg", "pos"]
    content = write_run(tmp_path, "model=dsn", labels=[0, 1] * 100, answers=[0, 1] * 100, metrics=numbers)
    content["data"] |= {"labels": labels}
    content["calibration"] = facts
    record = RunRecord.from_json(content)
    folder = tmp_path / record.identity
    draw = np.random.default_rng(0)
    columns = {"label": np.arange(200) % 2, "logit_0": draw.normal(size=200), "logit_1": draw.normal(size=200)}
    columns["logit_0"][3] = np.nan
    pq.write_table(pa.table(columns), folder / "predictions-test.parquet")
    page = run_page(record, folder)
    Balance(page)
    section = page.partition('id="reliability"')[2].partition("</section>")[0]
    assert "before (ECE 0.2000)" in section and "calibrated (ECE 0.0200)" in section
    assert "Calibrated by temperature 2 on 200 rows of val." in section
    assert "No miscalibration visible" in section and "nan" not in section
    plain = run_page(RunRecord.from_json(content | {"calibration": None}), folder)
    assert "a score, not a probability" in plain and "before" not in plain.partition('id="reliability"')[2]


def test_numbers_are_drawn_against_their_labels(tmp_path: Path) -> None:
    content = write_run(tmp_path, "model=dsn", labels=[0.5, 1.5, 2.5], answers=[0.7, 1.0, 2.0])
    content["data"] |= {"task": "regression", "primary": "test/pearson"}
    content["metrics"] |= {"test/pearson": 0.9}
    folder = tmp_path / content["identity"]
    page = run_page(RunRecord.from_json(content), folder)
    assert "Predictions against labels" in titles(page) and "3 of 3 rows of test" in page
    assert "label 1.5\nprediction 1" in page and "Reliability" not in titles(page)
    assert f"run errors {content['identity']}" in page, "also for a task without a matrix of classes"


@pytest.mark.parametrize("task", ["mlm", "tags", "a task of a later version"])
def test_any_task_has_a_page(tmp_path: Path, task: str) -> None:
    data = record_json()["data"] | {"task": task, "labels": ["O", "B-<b>"]}
    record = a_record(data=data, metrics={"test/accuracy": 0.5})
    page = run_page(record, tmp_path)
    Balance(page)
    assert titles(page)[0] == "Scores" and titles(page)[-1] == "What next" and "B-&lt;b&gt;" in page
    assert "run errors" not in page, "no answers are stored"


def test_a_chain_shows_its_stages(tmp_path: Path) -> None:
    stages = [{"name": name, "metrics": {"test/accuracy": 0.8}, "seconds": 1.5} for name in ("train", "prune")]
    page = run_page(a_record(stages=stages), tmp_path)
    assert "<td>prune</td>" in page.replace(' data-value="prune"', "") and "Stages" in titles(page)


def test_show_makes_the_page_of_an_older_run_and_prints_its_path(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = record_of(tmp_path)
    assert show.main([record.identity, f"paths.output={tmp_path}"]) == 0
    path = tmp_path / record.identity / "report.html"
    assert path.is_file() and f"page: {path}" in capsys.readouterr().out.replace("\n", "")


def test_a_failed_run_has_no_page(tmp_path: Path) -> None:
    content = write_run(tmp_path, "model=dsn", status="failed", reason="x")
    assert show.main([content["identity"], f"paths.output={tmp_path}"]) == 0
    assert not (tmp_path / content["identity"] / "report.html").exists()


def test_the_page_of_a_run_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    record = record_of(tmp_path)
    path = write_run_page(record, tmp_path / record.identity)
    assert json.loads((path.parent / "record.json").read_text())["identity"] in path.read_text(encoding="utf-8")
    assert not list(path.parent.glob("*.part"))


def test_repeated_texts_are_named_by_the_splits_that_have_them(tmp_path: Path) -> None:
    counts = {"train/exact": 11, "train+test/normalised": 12, "test/contradicting": 13, "train+test/contradicting": 14}
    data = record_json()["data"] | {"duplicates": counts}
    found = run_page(a_record(data=data), tmp_path)
    for what, count in (
        ("repeated texts in train, exact", 11),
        ("texts of test also in train, normalised", 12),
        ("rows of test with another label than an equal text of test", 13),
        ("rows of test with another label than an equal text of train", 14),
    ):
        assert re.search(rf"{what}</\w+>\s*<\w+[^>]*>{count}<", found), what
