"""What MLflow gets to see of a run: its record and points as MLflow's params, tags, metrics and data sets."""

from __future__ import annotations

import getpass
import json
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.record.baseline import is_at_baseline
from runner.sanitize import mask
from runner.track.folder import NOT_METRICS, Points, flatten_as_text, is_finite, is_number, milliseconds

if TYPE_CHECKING:
    from mlflow.entities import DatasetInput, Metric, Param, RunTag

MAX_PARAM = 6000  # characters, mlflow's limits
MAX_TAG = 8000
DIGEST = 16  # hex digits of the fingerprint shown; mlflow's limit is 36 characters
SOMETIMES = {"reason", "non_finite", "at_baseline"}  # tags that a later attempt may no longer have
ARTIFACT_PATTERNS = ("predictions-*.parquet", "metrics.jsonl", "log.txt")


def run_name(record: Mapping[str, Any]) -> str:
    """Return the name people read: the run's own, else its identity."""
    return str(record.get("name") or record["identity"])


def config_params(record: Mapping[str, Any]) -> list[Param]:
    """Return the config as dotted names; long values are cut, credentials masked."""
    from mlflow.entities import Param

    return [Param(name, _cut(mask(text), MAX_PARAM)) for name, text in flatten_as_text(record["config"])]


def run_tags(record: Mapping[str, Any], points: Points) -> list[RunTag]:
    """Return what runs are found and grouped by; an absent value gives no tag."""
    from mlflow.entities import RunTag

    config, environment = record["config"], record.get("environment") or {}
    command = " ".join(["run", *(shlex.quote(item) for item in record.get("overrides") or [])])
    values = {
        "identity": record["identity"],
        "started": record["started"],
        "status": record["status"],
        "reason": record.get("reason"),
        "model": _name_of(config.get("model")),
        "data": _name_of(config.get("data")),
        "positive": (record.get("data") or {}).get("positive"),
        "compression": ",".join(config.get("compression") or {}),
        "seed": config.get("seed"),
        "code_version": environment.get("code_version"),
        "non_finite": ", ".join(non_finite_metrics(record, points)),
        "at_baseline": "true" if _is_at_baseline(record) else None,
        "mlflow.runName": run_name(record),
        "mlflow.user": _user(),
        "mlflow.source.name": command,
        "mlflow.source.type": "LOCAL",
        "mlflow.source.git.commit": environment.get("git_commit"),
        "git_dirty": environment.get("git_dirty"),
    }
    return [RunTag(key, _cut(mask(str(value)), MAX_TAG)) for key, value in values.items() if value not in (None, "")]


def _is_at_baseline(record: Mapping[str, Any]) -> bool:
    """Whether a finished run has learned nothing; one that has not got that far has no headline metric."""
    primary = (record.get("data") or {}).get("primary")
    return bool(primary and is_at_baseline([record.get("metrics") or {}], primary))


def point_metrics(points: Iterable[Mapping[str, Any]]) -> list[Metric]:
    """Return every finite value of the points, with the step and time of its line."""
    from mlflow.entities import Metric

    return [
        Metric(name, float(value), round(float(point["time"]) * 1000), int(point["step"]))
        for point in points
        for name, value in point.items()
        if name not in NOT_METRICS and is_finite(value)
    ]


def final_metrics(record: Mapping[str, Any], points: Points) -> list[Metric]:
    """Return the record's values at the last step, less those already logged there with the same value."""
    logged = points.parsed()
    step = max((int(point["step"]) for point in logged), default=0)
    last = max((float(point["time"]) for point in logged), default=0.0)
    # Not before the last point: of two values at one step, MLflow shows the later one.
    time = max((milliseconds(record.get("ended")) or 0) / 1000, last)
    there = {(name, value) for point in logged if point["step"] == step for name, value in point.items()}
    final = {name: value for name, value in (record.get("metrics") or {}).items() if (name, value) not in there}
    return point_metrics([{"step": step, "time": time, **final}])


def non_finite_metrics(record: Mapping[str, Any], points: Points) -> list[str]:
    """Return the names of the metrics that were nan or infinite at least once and are left out for that."""
    found = set()
    for point in [*points.parsed(), record.get("metrics") or {}]:
        found |= {name for name, value in point.items() if is_number(value) and not is_finite(value)}
    return sorted(found)


def run_datasets(record: Mapping[str, Any]) -> list[DatasetInput]:
    """Return the data the run used, named by its fingerprint; empty while it is not known."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    data = record.get("data") or {}
    if not data.get("fingerprint"):
        return []
    dataset = Dataset(
        name=str(data.get("name") or "data"),
        digest=str(data["fingerprint"])[:DIGEST],
        source_type="bertier",
        source=json.dumps({"uri": mask(str(data.get("source") or ""))}),
        profile=json.dumps({"rows": data.get("rows") or {}}),
    )
    return [DatasetInput(dataset, [InputTag("mlflow.data.context", "train and report")])]


def artifact_files(folder: Path) -> list[Path]:
    """Return the files that are mirrored as they are; record.json and the model are handled by the caller."""
    return [path for pattern in ARTIFACT_PATTERNS for path in sorted(folder.glob(pattern))]


def _name_of(group: object) -> object:
    return group.get("name") if isinstance(group, Mapping) else group


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _user() -> str | None:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container whose user id has no name
        return None
