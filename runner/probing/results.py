"""The result of probing one model: a table as JSON, and which sentences each probe had right as Parquet. No torch."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from statistics import fmean

import numpy as np

from data.json_types import JsonObject
from data.part_file import written_whole
from runner.probing.tasks import EDGES, GROUPS, STRUCTURAL_TASKS, WORDS
from runner.record.json_files import read_json, write_json

FOLDER = "probing"  # in a run's folder, and in the folder of runs for models that no run there trained
SCHEMA_VERSION = 1
ACCURACY = "accuracy"
NOT_OF_A_NAME = re.compile(r"\W")  # what the name of a metric cannot hold, as in turkish-movies


@dataclass(frozen=True)
class Line:
    """The probes of one layer and pooling; accuracies are means over the probes' seeds."""

    pool: str
    layer: int
    select: float  # accuracy on the rows that choose penalty and epoch; of structural probes the loss, negated
    accuracy: float  # on the reported rows
    low: float  # of its 95 % interval, over rows and seeds
    high: float
    random: float | None = None  # accuracy on the same layer of an encoder with random weights
    control: float | None = None  # accuracy on labels that only memory can learn
    bits: float | None = None  # of a label, by the online code
    compression: float | None = None
    information: float | None = None  # nats that the layer adds to what is given
    spearman: float | None = None  # of structural probes: the mean rank correlation with distances, or depths, in trees

    @property
    def name(self) -> str:
        """The name of the line in files, such as mean_2."""
        return f"{self.pool}_{self.layer}"

    @property
    def selectivity(self) -> float | None:
        """Accuracy minus that of the control task."""
        return None if self.control is None else self.accuracy - self.control


@dataclass(frozen=True)
class Mix:
    """The probe of the weighted mean of all layers of one pooling; numbers are means over the probes' seeds."""

    pool: str
    layers: list[int]
    weights: list[float]  # of the layers; their sum is 1
    accuracy: float  # on the reported rows
    low: float  # of its 95 % interval, over rows and seeds
    high: float

    @property
    def centre(self) -> float:
        """The mean of the layers' numbers, weighted by the mix."""
        return sum(weight * layer for weight, layer in zip(self.weights, self.layers))

    @property
    def words(self) -> str:
        """The mix as a note shows it."""
        weights = " ".join(f"{weight:.2f}" for weight in self.weights)
        score = f"{self.accuracy:.3f} [{self.low:.3f}, {self.high:.3f}]"
        return f"the mix over layers, {self.pool}: {score}, centre at layer {self.centre:.2f}, weights {weights}"


@dataclass(frozen=True)
class TaskReport:
    """One task of one model."""

    name: str
    group: str | None
    classes: int
    rows: dict[str, int]  # by train, select, report
    majority: float  # score of the most frequent class; of structural probes of a guess that reads no vectors
    lines: list[Line]
    score: str = ACCURACY  # which score the accuracies of the lines are
    notes: list[str] = field(default_factory=list)
    mixes: list[Mix] = field(default_factory=list)  # of each pooling, where they are wanted

    @property
    def best(self) -> Line:
        """The line with the best score on the selection rows."""
        return max(self.lines, key=lambda line: line.select)


@dataclass(frozen=True)
class ProbeReport:
    """All tasks of one model."""

    key: JsonObject  # what the numbers depend on
    name: str  # of the file: xprobe-linear
    model: str  # as tables show it
    tasks: list[TaskReport]
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0
    when: str = ""
    started: str | None = None  # the start of the run
    schema_version: int = SCHEMA_VERSION

    @classmethod
    def from_json(cls, content: JsonObject) -> ProbeReport:
        """Return the report in a JSON object. Raises KeyError or TypeError for another one."""
        known = {one.name: content[one.name] for one in fields(cls) if one.name in content}
        tasks = [
            TaskReport(
                **task
                | {"lines": [Line(**line) for line in task["lines"]]}
                | {"mixes": [Mix(**mix) for mix in task.get("mixes", [])]}
            )
            for task in content["tasks"]
        ]
        return cls(**known | {"tasks": tasks})

    def groups(self) -> dict[str, list[TaskReport]]:
        """Return the tasks of each group that has any, in the order of the groups; each structural task is its own
        group.
        """
        names = [WORDS, EDGES, *STRUCTURAL_TASKS, *GROUPS]
        found = {group: [task for task in self.tasks if task.group == group] for group in names}
        return {group: tasks for group, tasks in found.items() if tasks}


Right = dict[str, dict[str, np.ndarray]]  # by task and line: (reported rows,) share of the probes that had a row right


def mean_accuracy(tasks: list[TaskReport]) -> float:
    """Return the mean over tasks of the accuracy of their best lines."""
    return fmean(task.best.accuracy for task in tasks)


def file_name(text: str) -> str:
    """Return a name as a valid file name: owner-name for data called owner/name."""
    return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in text)


def write_report(folder: Path, report: ProbeReport, right: Right) -> Path:
    """Write both files, the JSON last, so that a report always has its rows. Returns the path of the JSON.

    An earlier report of that name is removed first, so that it is never combined with the rows of this one.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(parents=True, exist_ok=True)
    shown = folder / f"{report.name}.json"
    shown.unlink(missing_ok=True)
    for task, columns in right.items():
        path = folder / f"{report.name}-{file_name(task)}.parquet"
        with written_whole(path) as part:
            pq.write_table(pa.table({name: values.astype(np.float32) for name, values in columns.items()}), part)
    write_json(shown, asdict(report))
    return shown


def read_report(folder: Path, name: str) -> ProbeReport | None:
    """Return the report of that name; None if there is none, or only one of another version."""
    content = read_json(folder / f"{name}.json")
    try:
        known = content is not None and content.get("schema_version") == SCHEMA_VERSION
        return ProbeReport.from_json(content) if known and content is not None else None
    except (KeyError, TypeError, AttributeError):
        return None


def read_reports(folder: Path, started: str) -> list[ProbeReport]:
    """Return the reports beside a run that was started at that time, oldest first; damaged ones are skipped."""
    names = [path.stem for path in sorted((folder / FOLDER).glob("*.json"))]
    found = [report for name in names if (report := read_report(folder / FOLDER, name))]
    return sorted((one for one in found if one.started == started), key=lambda report: report.when)


def read_right(folder: Path, report: ProbeReport) -> Right | None:
    """Return which rows the probes of a report answered correctly; None if a file is missing or damaged."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        tables = {
            task.name: pq.read_table(folder / f"{report.name}-{file_name(task.name)}.parquet") for task in report.tasks
        }
        return {
            task: {name: table.column(name).to_numpy() for name in table.column_names} for task, table in tables.items()
        }
    except (OSError, pa.ArrowException):
        return None


def metrics_of(report: ProbeReport, cut_groups: Collection[str] = ()) -> Mapping[str, float]:
    """Return a report's numbers named as in runner/record/metrics.py: of best layers, and means over groups.

    cut_groups: groups of which the report has only some tasks; the mean of a part is not that of the group.
    """
    found: dict[str, float] = {}
    for task in report.tasks:
        best, name = task.best, f"probe/{NOT_OF_A_NAME.sub('_', task.name)}"
        found |= {f"{name}_accuracy": best.accuracy, f"{name}_majority": task.majority, f"{name}_layer": best.layer}
        extra = {"selectivity": best.selectivity, "bits": best.bits, "random": best.random, "spearman": best.spearman}
        found |= {f"{name}_{key}": value for key, value in extra.items() if value is not None}
    for group, tasks in report.groups().items():
        if group in cut_groups:
            continue
        found[f"probe/{group}_accuracy"] = mean_accuracy(tasks)
        bits = [task.best.bits for task in tasks if task.best.bits is not None]
        if len(bits) == len(tasks) > 1:
            found[f"probe/{group}_bits"] = fmean(bits)
    return found
