"""`run probe` after its words are checked: each model is probed, or its result is read, then all are shown."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from data.inputs.tokenizer import load_tokenizer
from data.json_types import JsonObject
from data.settings import DataSettings
from data.sources.sounds import is_sounds
from data.stores.build_once import SharedCache
from models.checkpoints.read import weights_digest
from runner.machine.device import choose_device
from runner.machine.threads import set_threads
from runner.probing.arms import arms_of
from runner.probing.encoder import check_reads
from runner.probing.evaluate import evaluate
from runner.probing.line_table import write_rows
from runner.probing.page import write_probe_page
from runner.probing.probing_task import ProbingTask
from runner.probing.results import (
    FOLDER,
    SCHEMA_VERSION,
    ProbeReport,
    Right,
    file_name,
    metrics_of,
    read_report,
    read_right,
    write_report,
)
from runner.probing.show import show_arms, show_report, show_versus
from runner.probing.sources import read_tasks
from runner.probing.versus import versus
from runner.probing.wanted import QUICK, Source, Wanted
from runner.record.added_metrics import add_metrics
from runner.record.subject import KEY, Subject
from runner.sanitize import say

if TYPE_CHECKING:
    from rich.console import Console


NUMBERS = 4  # raise when the same probes of the same vectors get other numbers
NEUTRAL = (("grid", QUICK), ("has_mix", False))  # choices that are not in the keys of results


@dataclass(frozen=True)
class Place:
    """Where files are stored, and how results are shown."""

    output: Path
    cache: Path
    by: str  # task | layer
    repeat: bool  # also where there is a result


def run_probes(
    subjects: Sequence[Subject],
    base: Subject | None,
    source: Source,
    data: DataSettings,
    wanted: Wanted,
    place: Place,
    console: Console,
) -> None:
    """Probe and show one model, two with their difference, or several side by side. Raises the user's mistakes.

    base: the model whose vectors are given, for given=<model>; data: the settings of a data set, where that is the
    source.
    """
    set_threads(wanted.threads)
    files = source.treebank or source.edge or source.senteval
    for subject in [*subjects, *([base] if base else [])]:
        check_reads(subject, files or f"data={data.name}", has_sounds=not files and is_sounds(data))
    cache = SharedCache(place.cache, lambda text: say(text, sys.stderr))
    name, tasks = read_tasks(source, wanted.tasks, data, cache)
    found = []
    for subject in subjects:
        if len(subjects) > 1:
            say(f"{subject.label} ...", sys.stderr)
        found.append(_result_of(subject, base, tasks, name, wanted, place, cache))
    if len(found) == 1:
        show_report(found[0][0], console, place.by)
    elif len(found) == 2:
        show_versus(versus(*found), console)
    else:
        show_arms(arms_of(subjects, [report for report, _ in found]), console)


def _result_of(
    subject: Subject, base: Subject | None, tasks: Sequence[ProbingTask], data: str, wanted: Wanted, place: Place,
    cache: SharedCache,
) -> tuple[ProbeReport, Right]:  # fmt: skip
    """The result stored beside the model if it is of exactly these weights and rows, else a new one, stored there."""
    key = _key(subject, base, tasks, data, wanted)
    folder = _folder_of(subject, place.output)
    name = f"{file_name(data)}-{wanted.ending}"
    known = None if place.repeat else read_report(folder, name)
    if known and known.key == key and (right := read_right(folder, known)) is not None:
        say(f"read {folder / known.name}.json (again: repeat=true)", sys.stderr)
        return known, right
    device = choose_device(wanted.device)
    tell = partial(say, stream=sys.stderr)
    report, right = evaluate(subject, base, tasks, wanted, key, name, cache, device, tell)
    say(f"wrote {_write(folder, report, right)}", sys.stderr)
    if subject.record and subject.folder:
        add_metrics(subject.folder, subject.record.started, metrics_of(report, wanted.cut_groups))
    return report, right


def _write(folder: Path, report: ProbeReport, right: Right) -> str:
    """Write the page, the table of all lines and, last, the report; return the paths that are for people."""
    folder.mkdir(parents=True, exist_ok=True)
    shown = write_probe_page(folder, report)
    write_rows(folder, report)
    return f"{write_report(folder, report, right)} and {shown.name}"


def _key(subject: Subject, base: Subject | None, tasks: Sequence[ProbingTask], data: str, wanted: Wanted) -> JsonObject:
    """Return everything that the numbers depend on."""
    chosen: JsonObject = {
        name: _plain(value)
        for name, value in asdict(wanted).items()
        if name not in ("device", "threads", "is_part", "cut_groups") and (name, value) not in NEUTRAL
    }
    # Files that may be replaced one by one; those of a run are written together.
    apart = {} if subject.record else {"tokenizer": load_tokenizer(subject.source).fingerprint}
    return (
        chosen
        | apart
        | {
            "data": data,
            "rows": {task.name: sorted(task.fingerprints.values()) for task in tasks},
            "weights": weights_digest(subject.source, KEY),
            "given": wanted.given if base is None else weights_digest(base.source, KEY),
            "version": [SCHEMA_VERSION, NUMBERS],
        }
    )


def _plain(value: object) -> object:
    """Return a value as JSON has it: a list for a tuple."""
    return list(value) if isinstance(value, tuple) else value


def _folder_of(subject: Subject, output: Path) -> Path:
    """Return the folder of results: that of the run; for another model a folder of its name."""
    if subject.folder:
        return subject.folder / FOLDER
    return output / FOLDER / (file_name(subject.label).strip("-.") or "model")
