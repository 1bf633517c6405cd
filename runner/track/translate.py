"""Translates a run's record and points into MLflow's params, tags, metrics and datasets."""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from runner.record.baseline import is_at_baseline
from runner.record.command import command_line
from runner.record.record import RunRecord
from runner.record.run_names import name_of
from runner.sanitize import mask
from runner.track.folder import NOT_METRICS, Points, flatten_as_text, is_finite, is_number, milliseconds
from runner.track.metric_names import DETAIL, allowed_name, curve_name, headline_names, is_curve

if TYPE_CHECKING:
    from mlflow.entities import DatasetInput, Metric, Param, RunTag

MAX_PARAM = 6000  # characters, mlflow's limits
MAX_TAG = 8000
DIGEST = 16  # hex digits of the fingerprint shown; mlflow's limit is 36 characters
OPTIONAL_TAGS = {"reason", "non_finite", "at_baseline"}  # removed if a resumed run no longer has them
RUN_NAME = "mlflow.runName"
FIRST = ("*.html", "*.png", "*.svg", "plots/*")  # pages and images, at the top of the artifacts
BELOW = "run"  # the folder for all other files; MLflow lists it after report.html
LATER = ("errors.html", "errors.csv")  # written after the run, by `run errors`
OTHERS = ("predictions-*.parquet", "metrics.jsonl", "log.txt", "errors.csv", "lengths.*")


def config_params(record: RunRecord) -> list[Param]:
    """Return the config as params with dotted names; long values are cut, credentials masked."""
    from mlflow.entities import Param

    return [Param(name, _cut(mask(text), MAX_PARAM)) for name, text in flatten_as_text(record.config)]


def run_tags(record: RunRecord, points: Points) -> list[RunTag]:
    """Return the tags for finding and grouping runs; an absent value gives no tag."""
    from mlflow.entities import RunTag

    command = command_line(record)
    values = {
        "identity": record.identity,
        "started": record.started,
        "status": record.status,
        "reason": record.reason,
        "model": record.model,
        "data": record.dataset,
        "positive": record.data.positive,
        "compression": ",".join(record.config.get("compression") or {}),
        "seed": record.seed,
        "code_version": record.environment.code_version,
        "non_finite": ", ".join(non_finite_metrics(record, points)),
        "at_baseline": "true" if is_at_baseline([record.metrics], record.data.primary) else None,
        RUN_NAME: name_of(record),
        "mlflow.user": _user(),
        "mlflow.source.name": command,
        "mlflow.source.type": "LOCAL",
        "mlflow.source.git.commit": record.environment.git_commit,
        "git_dirty": record.environment.git_dirty,
    }
    return [RunTag(key, _cut(mask(str(value)), MAX_TAG)) for key, value in values.items() if value not in (None, "")]


def curve_metrics(record: RunRecord, points: Iterable[Mapping[str, float]]) -> list[Metric]:
    """Return the points of the curves, named for their section in MLflow."""
    return [
        metric
        for point in points
        for metric in _metrics(
            {curve_name(name): value for name, value in point.items() if is_curve(name, record)},
            point["step"],
            point["time"],
        )
    ]


def headline_metrics(record: RunRecord, points: Points) -> list[Metric]:
    """Return the headline metrics in the order in which MLflow should list them; step 0 makes it draw bars."""
    values = {name: record.metrics[name] for name in headline_names(record)}
    return _metrics(values, 0, _end_of(record, points))


def detail_points(record: RunRecord, points: Points) -> list[Metric]:
    """Return the logged points of all metrics that are no curves."""
    found: list[Metric] = []
    for point in points.parsed():
        own = {name: value for name, value in point.items() if not is_curve(name, record)}
        found += _metrics(_as_details(own), point["step"], point["time"])
    return found


def detail_metrics(record: RunRecord, points: Points) -> list[Metric]:
    """Return the final values of all metrics that are neither curves nor headlines.

    They are sent at the last step if the metric also has points, else at step 0.
    """
    logged = points.parsed()
    with_points = {name for point in logged for name in point if not is_curve(name, record)}
    final = {name: value for name, value in record.metrics.items() if name not in headline_names(record)}
    last = {name: value for name, value in final.items() if name in with_points}
    end, step = _end_of(record, points), max((point["step"] for point in logged), default=0)
    there = {(name, value) for point in logged if point["step"] == step for name, value in point.items()}
    found = _metrics(_as_details({k: value for k, value in last.items() if (k, value) not in there}), step, end)
    return found + _metrics(_as_details({k: value for k, value in final.items() if k not in last}), 0, end)


def later_metrics(record: RunRecord, points: Points, values: Mapping[str, float]) -> list[Metric]:
    """Return metrics that were measured after the run, under their own names."""
    return _metrics(values, 0, _end_of(record, points))


def _as_details(values: Mapping[str, float]) -> dict[str, float]:
    return {f"{DETAIL}{name}": value for name, value in values.items() if name not in NOT_METRICS}


def _end_of(record: RunRecord, points: Points) -> float:
    """Return the time of final values: not before the last point, since MLflow shows the latest value of a step."""
    last = max((float(point["time"]) for point in points.parsed()), default=0.0)
    return max((milliseconds(record.ended) or 0) / 1000, last)


def _metrics(values: Mapping[str, float], step: float, seconds: float) -> list[Metric]:
    """Return the finite values at a step and a time."""
    from mlflow.entities import Metric

    when, finite = round(float(seconds) * 1000), {name: value for name, value in values.items() if is_finite(value)}
    return [Metric(allowed_name(name), float(value), when, int(step)) for name, value in finite.items()]


def non_finite_metrics(record: RunRecord, points: Points) -> list[str]:
    """Return the names of metrics with at least one value that was NaN or infinite, and so was not sent."""
    found = set()
    for point in [*points.parsed(), record.metrics]:
        found |= {name for name, value in point.items() if is_number(value) and not is_finite(value)}
    return sorted(found)


def run_datasets(record: RunRecord) -> list[DatasetInput]:
    """Return the dataset of the run, identified by its fingerprint; empty while that is unknown."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    data = record.data
    if not data.fingerprint:
        return []
    dataset = Dataset(
        name=data.name or "data",
        digest=data.fingerprint[:DIGEST],
        source_type="bertier",
        source=json.dumps({"uri": mask(data.source or "")}),
        profile=json.dumps({"rows": data.rows}),
    )
    return [DatasetInput(dataset, [InputTag("mlflow.data.context", "train and report")])]


def artifact_files(folder: Path) -> list[tuple[Path, str | None]]:
    """Return the files that are sent unchanged, each with its MLflow folder; without record.json and the model."""
    pages = [(path, None if path.parent == folder else path.parent.name) for path in _matching(folder, FIRST)]
    return [*pages, *((path, BELOW) for path in _matching(folder, OTHERS))]


def later_files(folder: Path) -> list[tuple[Path, str | None]]:
    """Return those of `artifact_files` that are written after a run, possibly several times."""
    return [(path, place) for path, place in artifact_files(folder) if path.name in LATER]


def _matching(folder: Path, patterns: Iterable[str]) -> list[Path]:
    return [path for pattern in patterns for path in sorted(folder.glob(pattern)) if path.is_file()]


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _user() -> str | None:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container whose user id has no name
        return None
