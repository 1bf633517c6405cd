"""A record as MLflow shows it: tags to find it by, finite metrics once, and the dataset by its fingerprint."""

from __future__ import annotations

import json
from pathlib import Path

from runner.track import translate
from runner.track.folder import read_points, record_to_mirror
from tests.runner.track.folders import CLOCK, add_points, write_record


def test_tags_name_the_run_and_leave_out_what_is_absent(tmp_path: Path) -> None:
    folder = add_points(write_record(tmp_path / "abc"), range(1, 3), **{"train/grad_norm": float("nan")})
    record, points = record_to_mirror(folder), read_points(folder)
    tags = {tag.key: tag.value for tag in translate.run_tags(record, points)}
    expected = {"identity": "abc", "model": "dsn", "data": "imdb", "seed": "3", "git_dirty": "False"}
    assert tags.items() >= expected.items() and tags["mlflow.source.name"] == "run model=dsn data=imdb"
    assert tags["non_finite"] == "train/grad_norm" and "reason" not in tags and "at_baseline" not in tags
    assert translate.run_name(record) == "dsn imdb seed=3"


def test_values_that_are_not_finite_are_left_out_and_the_final_ones_come_last(tmp_path: Path) -> None:
    folder = add_points(write_record(tmp_path / "abc"), range(1, 3), **{"train/loss": float("inf")})
    points = read_points(folder)
    assert {metric.key for metric in translate.point_metrics(points.parsed())} == {"train/lr"}
    final = translate.final_metrics(record_to_mirror(folder), points)
    assert {(metric.key, metric.value, metric.step) for metric in final} == {
        ("test/accuracy", 0.75, 2),
        ("cost/params", 1000.0, 2),
    }
    assert all(metric.timestamp >= 1000 * (CLOCK + 2) for metric in final)


def test_the_dataset_is_named_by_its_fingerprint(tmp_path: Path) -> None:
    (found,) = translate.run_datasets(record_to_mirror(write_record(tmp_path / "abc")))
    assert (found.dataset.name, found.dataset.digest) == ("imdb", "f" * 16)
    assert json.loads(found.dataset.profile) == {"rows": {"train": 90, "test": 10}}


def test_long_params_are_cut(tmp_path: Path) -> None:
    record = record_to_mirror(write_record(tmp_path / "abc", config={"note": "x" * 7000}))
    (note,) = (param for param in translate.config_params(record) if param.key == "note")
    assert len(note.value) == 6000 and note.value.endswith("…")
