"""Results in files: read as written, and None for what is damaged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from runner.probing.results import (
    FOLDER,
    Mix,
    file_name,
    metrics_of,
    read_report,
    read_reports,
    read_right,
    write_report,
)
from runner.probing.tasks import DISTANCE
from runner.record.metrics import check
from tests.runner.probing.reports import TASKS, made_report


def test_a_report_is_read_as_it_was_written(tmp_path: Path) -> None:
    report, right = made_report()
    mixed = replace(report.tasks[0], mixes=[Mix("mean", [0, 1], [0.25, 0.75], 0.8, 0.7, 0.9)])
    report = replace(report, tasks=[mixed, report.tasks[1]])
    folder = tmp_path / FOLDER
    assert write_report(folder, report, right) == folder / "xprobe-linear.json"
    assert read_report(folder, "xprobe-linear") == report
    found = read_right(folder, report)
    assert found is not None
    assert np.allclose(found[TASKS[0]]["mean_1"], right[TASKS[0]]["mean_1"])
    assert read_reports(tmp_path, "then") == [report]
    assert read_reports(tmp_path, "another start") == []
    assert not [*folder.glob("*.part")]


def test_damaged_files_are_no_results(tmp_path: Path) -> None:
    report, right = made_report()
    write_report(tmp_path, report, right)
    (tmp_path / "xprobe-linear-subj_number.parquet").write_bytes(b"PAR1")
    assert read_right(tmp_path, report) is None
    (tmp_path / "xprobe-linear.json").write_text('{"schema_version": 1}', encoding="utf-8")
    assert read_report(tmp_path, "xprobe-linear") is None
    assert read_report(tmp_path, "mlp") is None


def test_the_correlation_with_trees_is_a_metric_with_a_name() -> None:
    report = made_report()[0]
    lines = [replace(line, spearman=0.7) for line in report.tasks[0].lines]
    tree = replace(report.tasks[0], name=DISTANCE, group=DISTANCE, lines=lines)
    found = metrics_of(replace(report, tasks=[tree]))
    assert found[f"probe/{DISTANCE}_spearman"] == 0.7
    for name in found:
        check(name)


def test_the_record_gets_the_best_layers_and_the_means_of_groups() -> None:
    found = metrics_of(made_report(0.8)[0])
    assert found["probe/past_present_layer"] == 1
    assert found["probe/past_present_selectivity"] == pytest.approx(0.25)
    assert found["probe/semantic_accuracy"] == pytest.approx(0.8)
    for name in found:
        check(name)
    assert "probe/semantic_accuracy" not in metrics_of(made_report(0.8)[0], ["semantic"]), "a mean over a part of it"


def test_a_data_set_or_a_file_of_any_name_has_metrics() -> None:
    (task, _) = made_report(0.8)[0].tasks
    found = metrics_of(replace(made_report()[0], tasks=[replace(task, name="turkish-movies v2.1", group=None)]))
    assert found["probe/turkish_movies_v2_1_accuracy"] == 0.8
    for name in found:
        check(name)


def test_a_data_set_called_by_its_owner_has_files_too(tmp_path: Path) -> None:
    report, right = made_report()
    task = replace(report.tasks[0], name="me/mine")
    report = replace(report, name=f"{file_name('me/mine')}-linear", tasks=[task])
    write_report(tmp_path, report, {"me/mine": right[TASKS[0]]})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["me-mine-linear-me-mine.parquet", "me-mine-linear.json"]
    assert (read_right(tmp_path, report) or {}).keys() == {"me/mine"}
