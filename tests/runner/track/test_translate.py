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
    assert tags["mlflow.runName"] == "dsn imdb seed=3"


def test_curves_headlines_and_details_share_the_finite_values_among_them(tmp_path: Path) -> None:
    metrics = {
        "cost/macs": 5.0,
        "cost/params": 1000,
        "train/epoch": 2.0,
        "test/f1": float("nan"),
        "test/accuracy": 0.75,
    }
    folder = write_record(tmp_path / "abc", metrics=metrics)
    add_points(folder, range(1, 3), **{"train/loss": float("inf"), "train/epoch": 1.0, "val/accuracy": 0.5})
    record, points = record_to_mirror(folder), read_points(folder)
    curves = translate.curve_metrics(record, points.parsed())
    assert {(one.key, one.step) for one in curves} == {
        ("at_step/train_lr", 1), ("at_step/train_lr", 2), ("at_step/val_accuracy", 1), ("at_step/val_accuracy", 2),
    }  # fmt: skip
    headlines = translate.headline_metrics(record, points)
    assert [(one.key, one.value, one.step) for one in headlines] == [
        ("test/accuracy", 0.75, 0),
        ("cost/params", 1000, 0),
    ]
    details = [*translate.detail_points(record, points), *translate.detail_metrics(record, points)]
    assert [(one.key, one.value, one.step) for one in details] == [
        ("detail/train/epoch", 1.0, 1), ("detail/train/epoch", 1.0, 2), ("detail/train/epoch", 2.0, 2),
        ("detail/cost/macs", 5.0, 0),
    ]  # fmt: skip
    assert all(one.timestamp >= 1000 * (CLOCK + 2) for one in [*headlines, *details[2:]])


def test_the_dataset_is_named_by_its_fingerprint(tmp_path: Path) -> None:
    (found,) = translate.run_datasets(record_to_mirror(write_record(tmp_path / "abc")))
    assert (found.dataset.name, found.dataset.digest) == ("imdb", "f" * 16)
    assert json.loads(found.dataset.profile) == {"rows": {"train": 90, "test": 10}}


def test_long_params_are_cut(tmp_path: Path) -> None:
    record = record_to_mirror(write_record(tmp_path / "abc", config={"note": "x" * 7000}))
    (note,) = (param for param in translate.config_params(record) if param.key == "note")
    assert len(note.value) == 6000 and note.value.endswith("…")
