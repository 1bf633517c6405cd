"""Translates a run's record and points into MLflow's params, tags, metrics and datasets."""

from __future__ import annotations

import getpass
import json
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from runner.record.baseline import is_at_baseline
from runner.record.record import RunRecord
from runner.sanitize import mask
from runner.track.folder import NOT_METRICS, Points, flatten_as_text, is_finite, is_number, milliseconds

if TYPE_CHECKING:
    from mlflow.entities import DatasetInput, Metric, Param, RunTag

MAX_PARAM = 6000  # characters, mlflow's limits
MAX_TAG = 8000
DIGEST = 16  # hex digits of the fingerprint shown; mlflow's limit is 36 characters
OPTIONAL_TAGS = {"reason", "non_finite", "at_baseline"}  # a later attempt may no longer have them
ARTIFACT_PATTERNS = ("predictions-*.parquet", "metrics.jsonl", "log.txt")


def run_name(record: RunRecord) -> str:
    """Return the name that MLflow shows: the run's own, else its identity."""
    return record.name or record.identity


def config_params(record: RunRecord) -> list[Param]:
    """Return the config as params with dotted names; long values are cut, credentials masked."""
    from mlflow.entities import Param

    return [Param(name, _cut(mask(text), MAX_PARAM)) for name, text in flatten_as_text(record.config)]


def run_tags(record: RunRecord, points: Points) -> list[RunTag]:
    """Return the tags that runs are found and grouped by; an absent value gives no tag."""
    from mlflow.entities import RunTag

    command = " ".join(["run", *map(shlex.quote, record.overrides)])
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
        "mlflow.runName": run_name(record),
        "mlflow.user": _user(),
        "mlflow.source.name": command,
        "mlflow.source.type": "LOCAL",
        "mlflow.source.git.commit": record.environment.git_commit,
        "git_dirty": record.environment.git_dirty,
    }
    return [RunTag(key, _cut(mask(str(value)), MAX_TAG)) for key, value in values.items() if value not in (None, "")]


def point_metrics(points: Iterable[Mapping[str, float]]) -> list[Metric]:
    """Return every finite value of the points, with the step and the time of its point."""
    from mlflow.entities import Metric

    return [
        Metric(name, float(value), round(float(point["time"]) * 1000), int(point["step"]))
        for point in points
        for name, value in point.items()
        if name not in NOT_METRICS and is_finite(value)
    ]


def final_metrics(record: RunRecord, points: Points) -> list[Metric]:
    """Return the final metrics at the last step, except those logged there already with the same value."""
    logged = points.parsed()
    step = max((int(point["step"]) for point in logged), default=0)
    last = max((float(point["time"]) for point in logged), default=0.0)
    # Not before the last point: of two values at one step, MLflow shows the later one.
    time = max((milliseconds(record.ended) or 0) / 1000, last)
    there = {(name, value) for point in logged if point["step"] == step for name, value in point.items()}
    final = {name: value for name, value in record.metrics.items() if (name, value) not in there}
    return point_metrics([{"step": step, "time": time, **final}])


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


def artifact_files(folder: Path) -> list[Path]:
    """Return the files that are sent unchanged; record.json and the model are the caller's."""
    return [path for pattern in ARTIFACT_PATTERNS for path in sorted(folder.glob(pattern))]


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _user() -> str | None:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container whose user id has no name
        return None
