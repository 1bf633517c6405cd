"""The list of runs that `run ui` opens: its columns, its order, and charts, with the curves first.

MLflow's page reads such a view from a tag of the experiment, named in the address (`viewStateShareKey`); the page's
Share button creates the same kind of tag. Written over HTTP, which is faster than importing mlflow.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from data.json_types import Json, JsonObject
from runner.record.folder import RECORD, record_in
from runner.record.metrics import METRICS, direction
from runner.record.record import RecordError
from runner.track.metric_names import AT_STEP, DETAIL, allowed_name

KEY = "bertier"  # of the view; the tag is rewritten each time
TAG = f"mlflow.sharedViewState.{KEY}"
KIND = ("mlflow.experimentKind", "custom_model_development")  # else the page asks for the kind of the experiment
SCORES = 3  # columns of scores: the most frequent ones
NEWEST = 100  # newest runs in which they are counted
COSTS = ("cost/bytes_deployed", "speed/answer_us_p50", "time/train_s")
WIDTH = 160  # of a column in pixels, enough for the name of a metric
RUN_NAME, DATASET = "attributes.`Run Name`", "attributes.`Dataset`"
SECTIONS = ("test", "val", "val_mm", "baseline", "cost", "speed", "time")  # sections of the headline metrics
TIMEOUT_S = 10.0
# For a server on this machine: a proxy from the environment would look for it on the machine of the proxy.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def write_view(address: str, experiment: str, scores: Sequence[str]) -> str:
    """Write the view into an experiment and return the address of the list; "" if there is no such experiment.

    address: of the server. scores: metrics that get a column in addition to those of size and time.
    """
    try:
        found = _ask(address, f"get-by-name?experiment_name={quote(experiment)}")["experiment"]
    except urllib.error.HTTPError:
        return ""
    place = str(found["experiment_id"])
    there = {tag["key"]: tag["value"] for tag in found.get("tags", [])}
    for key, value in ((TAG, json.dumps(view_state(scores))), KIND):
        if key == TAG or key not in there:
            _ask(address, "set-experiment-tag", {"experiment_id": place, "key": key, "value": value})
    return f"{address}/#/experiments/{place}/runs?workflowType=machine_learning&viewStateShareKey={KEY}"


def view_state(scores: Sequence[str]) -> JsonObject:
    """Return the state of the page: a column for each given metric, and the sections of charts in order."""
    metrics = [f"metrics.`{allowed_name(name)}`" for name in (*scores, *COSTS)]
    groups = {metric.name.partition("/")[0] for metric in METRICS} - {"{split}"} | {"train", "val", "test"}
    names = [AT_STEP.strip("/"), *SECTIONS, *(f"{DETAIL}{name}" for name in sorted(groups))]
    return {
        # By a score, best first: ordered by start time, the page would hide the runs of a sweep below their parent.
        "orderByKey": metrics[0] if scores else "attributes.start_time",
        "orderByAsc": bool(scores) and direction(scores[0]) == "lower",
        "selectedColumns": [*metrics, DATASET],
        "columnOrder": [RUN_NAME, *metrics, DATASET],
        "columnWidths": {RUN_NAME: 2 * WIDTH} | dict.fromkeys(metrics, WIDTH),
        "compareRunCharts": [],  # the page adds a chart for each metric to the section of its prefix
        "compareRunSections": [
            {"uuid": f"section-{place}", "name": name, "display": not name.startswith(DETAIL), "isReordered": False}
            for place, name in enumerate(names)
        ],
        "isAccordionReordered": True,  # else the page sorts the sections by name
    }


def common_scores(output: Path) -> list[str]:
    """Return the headline scores of the newest runs, the most frequent first."""
    files = sorted(output.glob(f"*/{RECORD}"), key=lambda path: -path.stat().st_mtime)
    found: Counter[str] = Counter()
    for path in files[:NEWEST]:
        try:
            record = record_in(path.parent)
        except (RecordError, OSError):
            continue
        if record:
            found[record.data.primary] += 1
    return [name for name, _ in found.most_common(SCORES)]


def _ask(address: str, path: str, body: Json = None) -> JsonObject:
    request = urllib.request.Request(
        f"{address}/api/2.0/mlflow/experiments/{path}",
        data=json.dumps(body).encode() if body else None,
        headers={"Content-Type": "application/json"},
    )
    with DIRECT.open(request, timeout=TIMEOUT_S) as answer:
        content: JsonObject = json.loads(answer.read() or b"{}")
    return content
